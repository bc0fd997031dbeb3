# All libraries come from the distribution's packages (scripts/install-deps). The interface targets below give
# them one name each, whatever the package calls it, and keep their headers out of our warnings.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(tl-expected REQUIRED)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(LIBUSB REQUIRED IMPORTED_TARGET libusb-1.0)
pkg_check_modules(USBREDIRHOST REQUIRED IMPORTED_TARGET libusbredirhost)
pkg_check_modules(USBREDIRPARSER REQUIRED IMPORTED_TARGET libusbredirparser-0.5)

# Header-only Asio without Boost.
find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(usbloop_asio INTERFACE)
target_include_directories(usbloop_asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
target_compile_definitions(usbloop_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Asio 1.22 (Debian 12) is older than clang with the standard's coroutines and has to be told.
  target_compile_definitions(usbloop_asio INTERFACE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
endif()
target_link_libraries(usbloop_asio INTERFACE Threads::Threads)

# websocketpp's protocol classes; only common/websocket includes them (see the note in its CMakeLists.txt).
find_path(WEBSOCKETPP_INCLUDE_DIR websocketpp/processors/hybi13.hpp REQUIRED)

# cpp-httplib is a compiled library on Debian; its pkg-config file carries the definitions it was built with.
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
add_library(usbloop_httplib INTERFACE)
target_link_libraries(usbloop_httplib INTERFACE PkgConfig::HTTPLIB OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

# spdlog and fmt: their headers alone. The code is in common/log_library.cpp, so that no program needs the distribution's
# libraries of both, whose names change with every release.
add_library(usbloop_spdlog INTERFACE)
get_target_property(spdlog_headers spdlog::spdlog INTERFACE_INCLUDE_DIRECTORIES)
get_target_property(fmt_headers fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
target_include_directories(usbloop_spdlog SYSTEM INTERFACE ${spdlog_headers} ${fmt_headers})
target_compile_definitions(usbloop_spdlog INTERFACE SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
target_link_libraries(usbloop_spdlog INTERFACE Threads::Threads)

# libjpeg-turbo by its own interface (cameras): the static library, so that no program needs the other one to start.
pkg_check_modules(TURBOJPEG REQUIRED libturbojpeg)
find_library(TURBOJPEG_STATIC libturbojpeg.a HINTS ${TURBOJPEG_LIBRARY_DIRS})
add_library(usbloop_jpeg INTERFACE)
target_include_directories(usbloop_jpeg SYSTEM INTERFACE ${TURBOJPEG_INCLUDE_DIRS})
if(TURBOJPEG_STATIC)
  target_link_libraries(usbloop_jpeg INTERFACE ${TURBOJPEG_STATIC})
else()
  target_link_libraries(usbloop_jpeg INTERFACE ${TURBOJPEG_LIBRARIES})
endif()

# libslirp (emulated networks): its header alone. There is no static library of it, so it is loaded when it is used
# (device-sim/network/slirp_library.h). Its pkg-config file asks for GLib's headers, which nobody needs.
find_path(SLIRP_HEADERS slirp/libslirp.h REQUIRED)
add_library(usbloop_slirp INTERFACE)
target_include_directories(usbloop_slirp SYSTEM INTERFACE ${SLIRP_HEADERS})
target_link_libraries(usbloop_slirp INTERFACE ${CMAKE_DL_LIBS})

# libcacard (emulated smart cards): its headers alone, as with libslirp (device-sim/smart_card/cacard_library.h). Only
# the one that holds all of them wants GLib.
find_path(CACARD_HEADERS cacard/vcard_emul.h REQUIRED)
add_library(usbloop_cacard INTERFACE)
target_include_directories(usbloop_cacard SYSTEM INTERFACE ${CACARD_HEADERS})
target_link_libraries(usbloop_cacard INTERFACE ${CMAKE_DL_LIBS})

# yaml-cpp: the static library, whose shared one changes its name with releases. Its CMake files name the shared one alone.
find_library(YAML_CPP_STATIC libyaml-cpp.a)
find_path(YAML_CPP_HEADERS yaml-cpp/yaml.h REQUIRED)
add_library(usbloop_yaml INTERFACE)
target_include_directories(usbloop_yaml SYSTEM INTERFACE ${YAML_CPP_HEADERS})
if(YAML_CPP_STATIC)
  target_link_libraries(usbloop_yaml INTERFACE ${YAML_CPP_STATIC})
elseif(TARGET yaml-cpp::yaml-cpp)
  target_link_libraries(usbloop_yaml INTERFACE yaml-cpp::yaml-cpp)
else()
  target_link_libraries(usbloop_yaml INTERFACE yaml-cpp)
endif()
