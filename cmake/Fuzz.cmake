# Fuzz targets. The unit tests replay their corpora. In the build of the preset `asan` by clang with -DUSBLOOP_FUZZ=ON
# (scripts/check asan fuzz) they become libFuzzer programs too, all of them the target `fuzz`:
#   fuzz_usbredir_parser usbredir/fuzz/corpus/parser
option(USBLOOP_FUZZ "Build the libFuzzer programs (clang and -fsanitize=address,undefined only)" OFF)
if(USBLOOP_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR NOT USBLOOP_SANITIZER MATCHES "address")
    message(FATAL_ERROR "USBLOOP_FUZZ needs clang and the preset asan: "
                        "cmake --preset asan -DCMAKE_CXX_COMPILER=clang++ -DUSBLOOP_FUZZ=ON")
  endif()
  # All code reports its coverage, so that the tests and the fuzz programs link the same libraries.
  target_compile_options(usbloop_settings INTERFACE -fsanitize=fuzzer-no-link)
  add_custom_target(fuzz)
endif()

# usbloop_fuzz(AREA NAMESPACE C++-NAMESPACE TARGETS NAMES... LINK LIBRARIES... [ONE_THREAD]): called in a folder `fuzz`, which holds
# targets.h, NAME_fuzz.cpp for each target, corpus/NAME and replay_test.cpp. LINK: the libraries under test. ONE_THREAD: see
# usbloop_test().
function(usbloop_fuzz area)
  cmake_parse_arguments(arg "ONE_THREAD" "NAMESPACE" "TARGETS;LINK" ${ARGN})
  if(NOT USBLOOP_TESTS)
    return()
  endif()
  set(threads)
  if(arg_ONE_THREAD)
    set(threads ONE_THREAD)
  endif()
  list(TRANSFORM arg_TARGETS APPEND "_fuzz.cpp" OUTPUT_VARIABLE sources)
  usbloop_library(usbloop_${area}_fuzz SOURCES ${sources} LINK ${arg_LINK})
  usbloop_test(${area}_fuzz_replay_test ${threads} SOURCES replay_test.cpp LINK usbloop_${area}_fuzz usbloop_fuzz_replay)
  if(TARGET ${area}_fuzz_replay_test)
    target_compile_definitions(${area}_fuzz_replay_test PRIVATE
      USBLOOP_FUZZ_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/corpus/")
  endif()
  if(NOT USBLOOP_FUZZ)
    return()
  endif()
  file(RELATIVE_PATH folder "${CMAKE_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  foreach(target ${arg_TARGETS})
    add_executable(fuzz_${area}_${target} "${CMAKE_SOURCE_DIR}/common/fuzz/libfuzzer_main.cpp")
    target_compile_definitions(fuzz_${area}_${target} PRIVATE
      USBLOOP_FUZZ_HEADER="${folder}/targets.h" USBLOOP_FUZZ_TARGET=${arg_NAMESPACE}::fuzz::${target})
    target_link_options(fuzz_${area}_${target} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(fuzz_${area}_${target} PRIVATE usbloop_${area}_fuzz)
    add_dependencies(fuzz fuzz_${area}_${target})
  endforeach()
endfunction()
