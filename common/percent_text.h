#pragma once

#include <optional>
#include <string>
#include <string_view>

// Percent-encoding (RFC 3986, 2.1).
namespace usbloop {

enum class Plus { itself, blank };

/// The bytes that the text stands for; nothing for a percent sign without two hexadecimal digits behind it. `plus`:
/// what a "+" is: in a query it is a blank.
std::optional<std::string> percent_decoded(std::string_view text, Plus plus = Plus::itself);

/// All but the unreserved characters as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace usbloop
