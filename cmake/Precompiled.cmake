# One precompiled header (precompiled.h) for many targets: half of a test's compile time goes into the headers of the
# standard library, nlohmann/json, Asio and doctest, and into the same instantiations of their templates.
set(USBLOOP_PRECOMPILE "" CACHE STRING "What shares a precompiled header: nothing, `tests`, or `all`")

# usbloop_precompile(TARGET WHAT): lets the target use the header if WHAT (`tests` or `all`) is to. A target that is
# compiled as another C++ sets its property DISABLE_PRECOMPILE_HEADERS.
function(usbloop_precompile target what)
  if(USBLOOP_TESTS AND (USBLOOP_PRECOMPILE STREQUAL "all" OR USBLOOP_PRECOMPILE STREQUAL what))
    target_precompile_headers(${target} REUSE_FROM usbloop_precompiled)
    target_link_libraries(${target} PRIVATE usbloop_precompiled)
  endif()
endfunction()

if(NOT USBLOOP_TESTS OR NOT USBLOOP_PRECOMPILE)
  return()
endif()

add_library(usbloop_precompiled STATIC "${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp")
# Whoever uses the header has to have the macros that it was made with.
target_link_libraries(usbloop_precompiled PUBLIC
  usbloop_asio doctest::doctest nlohmann_json::nlohmann_json tl::expected usbloop_settings)
target_precompile_headers(usbloop_precompiled PRIVATE "${CMAKE_SOURCE_DIR}/cmake/precompiled.h")
if(USBLOOP_PRECOMPILE STREQUAL "tests")
  # Not in a library: its static objects want a test's main.
  target_precompile_headers(usbloop_precompiled PRIVATE <doctest/doctest.h>)
  target_compile_options(usbloop_precompiled PRIVATE ${USBLOOP_TEST_OPTIONS})
endif()

# clang can put the header's functions and templates into an object file, and then no other file makes them again: 40 % of
# the time that a file takes under a sanitizer. Its users then link that object: as an archive, which may stand on a
# command line twice, and by its path, so that no compiler waits for it.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(usbloop_precompiled PRIVATE -fpch-codegen)
  set(header "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/usbloop_precompiled.dir/cmake_pch.hxx.pch")
  set(object "${CMAKE_CURRENT_BINARY_DIR}/precompiled_header.o")
  set(archive "${CMAKE_CURRENT_BINARY_DIR}/libprecompiled_header.a")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
  add_custom_command(OUTPUT "${archive}" BYPRODUCTS "${object}"
    COMMAND "${CMAKE_CXX_COMPILER}" ${flags} "$<TARGET_PROPERTY:usbloop_settings,INTERFACE_COMPILE_OPTIONS>"
            -O1 -ffunction-sections -Wno-unused-command-line-argument -c "${header}" -o "${object}"
    COMMAND "${CMAKE_AR}" rcs "${archive}" "${object}"
    DEPENDS "${header}"
    COMMENT "Building the object of the precompiled header"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(precompiled_header_object DEPENDS "${archive}")
  target_link_libraries(usbloop_precompiled INTERFACE "${archive}")
  # libstdc++ declares a function that it does not have, for constructors that nobody calls: what is not called has to go.
  target_link_options(usbloop_precompiled INTERFACE -Wl,--gc-sections)
endif()
