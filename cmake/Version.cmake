# What the programs call themselves: common/version.h, whose one source is written at build time and only when what it
# says has changed.
set(USBLOOP_COMMIT "" CACHE STRING "The commit that --version names, where the sources are not a git checkout")

if(CMAKE_SCRIPT_MODE_FILE)
  # Run as a script by the target below.
  set(commit "${COMMIT}")
  if(NOT commit)
    # The checkout may belong to somebody else than who builds; and it has to be ours, not one that lies around a tarball.
    set(git git -c "safe.directory=*" -C "${SOURCE}")
    execute_process(COMMAND ${git} rev-parse --show-toplevel
      OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    file(REAL_PATH "${SOURCE}" source)
    if(NOT failed AND top STREQUAL source)
      execute_process(COMMAND ${git} describe --always --abbrev=7 --exclude=* --dirty
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    endif()
  endif()
  if(NOT commit)
    set(commit "commit unknown: not built from a git checkout")
  endif()
  file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT [[
#include "common/version.h"

namespace usbloop {
const char* version() { return "usbloop @VERSION@ (@commit@)"; }
}  // namespace usbloop
]] @ONLY)
  return()
endif()

set(version_source "${CMAKE_BINARY_DIR}/generated/version.cpp")
add_custom_target(usbloop_commit
  COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${CMAKE_SOURCE_DIR}" "-DVERSION=${PROJECT_VERSION}" "-DCOMMIT=${USBLOOP_COMMIT}"
    "-DOUTPUT=${version_source}" -P "${CMAKE_CURRENT_LIST_FILE}"
  BYPRODUCTS "${version_source}"
  COMMENT "" VERBATIM)
usbloop_library(usbloop_version SOURCES "${version_source}")
set_target_properties(usbloop_version PROPERTIES UNITY_BUILD OFF)
add_dependencies(usbloop_version usbloop_commit)
