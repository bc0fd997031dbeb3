# The packages, as `scripts/package` makes them with CPack: usbloop-client has the client alone, usbloop the loop.

# The containers' images are built from a part of the tree, and are packages themselves.
if(NOT EXISTS "${CMAKE_SOURCE_DIR}/deploy/packages" OR NOT EXISTS "${CMAKE_SOURCE_DIR}/scripts/up")
  return()
endif()

# What stands beside the programs.
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" DESTINATION share/doc/usbloop-client RENAME copyright
  COMPONENT client)
install(FILES "${CMAKE_SOURCE_DIR}/deploy/packages/70-usbredir.rules"
  DESTINATION share/usbloop-client COMPONENT client)
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" DESTINATION share/doc/usbloop RENAME copyright
  COMPONENT loop)
install(PROGRAMS "${CMAKE_SOURCE_DIR}/deploy/packages/usbloop" DESTINATION bin COMPONENT loop)
install(PROGRAMS
  "${CMAKE_SOURCE_DIR}/scripts/up" "${CMAKE_SOURCE_DIR}/scripts/down" "${CMAKE_SOURCE_DIR}/scripts/guest"
  "${CMAKE_SOURCE_DIR}/scripts/build-guest"
  DESTINATION share/usbloop/scripts COMPONENT loop)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/scripts/lib/" DESTINATION share/usbloop/scripts/lib
  COMPONENT loop FILES_MATCHING PATTERN "*.sh")
install(PROGRAMS "${CMAKE_SOURCE_DIR}/scripts/lib/verify_guest"
  DESTINATION share/usbloop/scripts/lib COMPONENT loop)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/guest" DESTINATION share/usbloop USE_SOURCE_PERMISSIONS
  COMPONENT loop PATTERN CMakeLists.txt EXCLUDE)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/deploy/examples" DESTINATION share/usbloop/deploy COMPONENT loop)

# What the loop runs beside its libraries; one list, in scripts/lib/packages.sh.
execute_process(COMMAND "${CMAKE_SOURCE_DIR}/scripts/install-deps" --print --runtime
  OUTPUT_VARIABLE runtime_packages OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
string(REPLACE "\n" ", " runtime_packages "${runtime_packages}")

set(CPACK_GENERATOR DEB)
set(CPACK_OUTPUT_FILE_PREFIX packages)
set(USBLOOP_MAINTAINER "usbloop <usbloop@example.invalid>" CACHE STRING "Whom the packages name as their maintainer")
set(CPACK_PACKAGE_CONTACT "${USBLOOP_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL client loop)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME usbloop-client)
# The summary is the same for both: CPack has no other for a component.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "USB devices in virtual machines of KubeVirt")
set(CPACK_DEBIAN_CLIENT_DESCRIPTION "kubectl usbredir redirects a USB device into a virtual machine of a KubeVirt
cluster, as virtctl usbredir and usbredirect do together.")
# libslirp is loaded when a network is emulated, libcacard when a smart card is.
set(CPACK_DEBIAN_CLIENT_PACKAGE_SUGGESTS "usbredirect, libslirp0, libcacard0")
set(CPACK_DEBIAN_LOOP_PACKAGE_NAME usbloop)
set(CPACK_DEBIAN_LOOP_PACKAGE_DEPENDS "usbloop-client (= ${PROJECT_VERSION}), ${runtime_packages}")
set(CPACK_DEBIAN_LOOP_DESCRIPTION "KubeVirt's USB client passthrough as a loop on one machine:
an API server as Kubernetes and KubeVirt have it, a node with QEMU guests, and
emulated USB devices: usbloop up starts it.")
include(CPack)
