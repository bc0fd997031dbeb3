#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace usbloop::e2e {

/// In lower-case hexadecimal, as sha256sum prints it.
std::string sha256_of(std::string_view bytes);
std::string sha256_of_file(const std::filesystem::path& file);

/// Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2), computed apart from the product's own code.
std::string websocket_accept(const std::string& key);

}  // namespace usbloop::e2e
