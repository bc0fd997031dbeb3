#pragma once

#include <string>
#include <vector>

namespace usbloop {

/// Rows in columns as wide as their widest cell, three blanks between them and none at a line's end. All rows have as
/// many cells as the first, which there is.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace usbloop
