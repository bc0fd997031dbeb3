# How every target of the project is compiled.
option(USBLOOP_TESTS "Build the tests" ON)
option(USBLOOP_WARNINGS_AS_ERRORS "Treat compiler warnings as errors (our own builds do)" OFF)
set(USBLOOP_SANITIZER "" CACHE STRING "Value for -fsanitize=, for example address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

# A build with the tests links the same libraries into a hundred programs. lld needs a quarter of GNU ld's processor time.
include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=lld USBLOOP_HAS_LLD)
if(USBLOOP_HAS_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_library(usbloop_settings INTERFACE)
target_include_directories(usbloop_settings INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(usbloop_settings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wconversion -Wsign-conversion
  -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Wrong about Asio's coroutine frames, whose operator delete fits their operator new.
  target_compile_options(usbloop_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete>)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A type of a file's own namespace in a coroutine's frame: GCC takes the file that includes it for many.
  target_compile_options(usbloop_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()
if(USBLOOP_WARNINGS_AS_ERRORS)
  target_compile_options(usbloop_settings INTERFACE -Werror)
endif()
if(USBLOOP_SANITIZER)
  target_compile_options(usbloop_settings INTERFACE
    -fsanitize=${USBLOOP_SANITIZER} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(usbloop_settings INTERFACE -fsanitize=${USBLOOP_SANITIZER})
  if(USBLOOP_SANITIZER MATCHES "thread")
    # GCC warns that std::atomic_thread_fence is not instrumented; Asio has one, guarded by a lock that is.
    target_compile_options(usbloop_settings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()

# usbloop_library(NAME SOURCES... LINK LIBRARIES...): a static library with the settings above.
function(usbloop_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC ${arg_LINK} usbloop_settings)
  usbloop_precompile(${name} all)
endfunction()

# What a person runs, without the tests.
add_custom_target(programs)

# usbloop_program(NAME SOURCES... LINK LIBRARIES... [COMPONENT loop]): an installed program. COMPONENT: the part of
# `cmake --install … --component` that it belongs to.
function(usbloop_program name)
  cmake_parse_arguments(arg "" "COMPONENT" "SOURCES;LINK" ${ARGN})
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT loop)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} usbloop_version usbloop_settings)
  usbloop_precompile(${name} all)
  add_dependencies(programs ${name})
  install(TARGETS ${name} RUNTIME DESTINATION bin COMPONENT ${arg_COMPONENT})
endfunction()
