#pragma once

#include <string_view>
#include <vector>

namespace usbloop::apiserver {

/// The files of openapi/schemas, in the order in which CMakeLists.txt names them. The build makes the source file.
std::vector<std::string_view> schema_texts();

}  // namespace usbloop::apiserver
