# Tests: each *_test.cpp stands beside the code it tests and becomes cases of ctest, one per TEST_CASE.
if(NOT USBLOOP_TESTS)
  function(usbloop_test)
  endfunction()
  return()
endif()

enable_testing()
# A test runs about once for each time it is compiled: optimizing its own sources costs more than it saves.
set(USBLOOP_TEST_OPTIONS "" CACHE STRING "Compiler options of the tests' own sources, behind all others, for example -O0")
# The tests that the sanitizer builds run; everything they need and nothing more.
add_custom_target(unit_tests)
find_package(doctest REQUIRED)
include(doctest)

# doctest's main, compiled once.
add_library(usbloop_doctest_main STATIC "${CMAKE_SOURCE_DIR}/cmake/doctest_main.cpp")
target_link_libraries(usbloop_doctest_main PUBLIC doctest::doctest usbloop_settings)
target_compile_options(usbloop_doctest_main PRIVATE ${USBLOOP_TEST_OPTIONS})

# usbloop_test(NAME SOURCES... LINK LIBRARIES... [LABEL unit] [TIMEOUT 60] [OWN_MAIN] [ONE_THREAD]): the test cases of the
# sources, named NAME/case; under a sanitizer unit tests are one test of ctest, NAME. LABEL is one of unit, component, e2e,
# acceptance, long (CONTRIBUTING.md). Exit code 77 means skipped; the test prints why. OWN_MAIN: the sources bring their
# own main. ONE_THREAD: nothing in it starts a thread, so that ThreadSanitizer has nothing to find and its build leaves it
# out; the test ends when that is not so (one_thread.cpp).
function(usbloop_test name)
  cmake_parse_arguments(arg "OWN_MAIN;ONE_THREAD" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(arg_ONE_THREAD AND USBLOOP_SANITIZER MATCHES "thread")
    return()
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} doctest::doctest usbloop_settings)
  target_compile_options(${name} PRIVATE ${USBLOOP_TEST_OPTIONS})
  if(arg_ONE_THREAD AND NOT USBLOOP_SANITIZER)
    target_sources(${name} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/one_thread.cpp")
  endif()
  usbloop_precompile(${name} tests)
  if(NOT arg_OWN_MAIN)
    target_link_libraries(${name} PRIVATE usbloop_doctest_main)
  endif()
  if(arg_LABEL STREQUAL "unit")
    add_dependencies(unit_tests ${name})
  endif()
  if(USBLOOP_SANITIZER AND arg_LABEL STREQUAL "unit")
    # One process for all cases: the start of a program under a sanitizer takes longer than most cases do. The longest first.
    list(LENGTH arg_SOURCES files)
    add_test(NAME ${name} COMMAND ${name} --duration=true)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 600 COST ${files})
    return()
  endif()
  # What may take long begins first, so that it does not run on alone at the end.
  doctest_discover_tests(${name} TEST_PREFIX "${name}/" ADD_LABELS 0
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
