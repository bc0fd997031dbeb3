# Fuzz targets. The unit tests replay their corpora; with clang and -DUSBLOOP_FUZZ=ON they become libFuzzer programs,
# all of them the target `fuzz` (scripts/check fuzz):
#   fuzz_usbredir_parser usbredir/fuzz/corpus/parser
option(USBLOOP_FUZZ "Build the libFuzzer programs (clang only)" OFF)
if(USBLOOP_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "USBLOOP_FUZZ needs clang: set CMAKE_CXX_COMPILER=clang++")
endif()

# usbloop_fuzz(AREA NAMESPACE C++-NAMESPACE TARGETS NAMES... LINK LIBRARIES... CODE SOURCES... CODE_LINK LIBRARIES...):
# called in a folder `fuzz`, which holds targets.h, NAME_fuzz.cpp for each target, corpus/NAME and replay_test.cpp.
# LINK: the library under test. CODE: its sources for the libFuzzer programs, which compile them with the fuzzer's
# coverage; CODE_LINK: what those need besides.
function(usbloop_fuzz area)
  cmake_parse_arguments(arg "" "NAMESPACE" "TARGETS;LINK;CODE;CODE_LINK" ${ARGN})
  list(TRANSFORM arg_TARGETS APPEND "_fuzz.cpp" OUTPUT_VARIABLE sources)
  if(USBLOOP_TESTS)
    usbloop_library(usbloop_${area}_fuzz SOURCES ${sources} LINK ${arg_LINK})
    usbloop_test(${area}_fuzz_replay_test SOURCES replay_test.cpp LINK usbloop_${area}_fuzz usbloop_fuzz_replay)
    target_compile_definitions(${area}_fuzz_replay_test PRIVATE
      USBLOOP_FUZZ_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/corpus/")
  endif()
  if(NOT USBLOOP_FUZZ)
    return()
  endif()
  if(NOT TARGET fuzz)
    add_custom_target(fuzz)
  endif()
  file(RELATIVE_PATH folder "${CMAKE_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  # Once for all programs of the folder.
  add_library(fuzz_${area}_code OBJECT ${sources} ${arg_CODE})
  target_compile_options(fuzz_${area}_code PRIVATE -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all)
  target_link_libraries(fuzz_${area}_code PUBLIC usbloop_settings ${arg_CODE_LINK})
  foreach(target ${arg_TARGETS})
    add_executable(fuzz_${area}_${target} "${CMAKE_SOURCE_DIR}/common/fuzz/libfuzzer_main.cpp")
    target_compile_definitions(fuzz_${area}_${target} PRIVATE
      USBLOOP_FUZZ_HEADER="${folder}/targets.h" USBLOOP_FUZZ_TARGET=${arg_NAMESPACE}::fuzz::${target})
    target_compile_options(fuzz_${area}_${target} PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_options(fuzz_${area}_${target} PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_libraries(fuzz_${area}_${target} PRIVATE fuzz_${area}_code)
    add_dependencies(fuzz fuzz_${area}_${target})
  endforeach()
endfunction()
