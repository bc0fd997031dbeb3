#pragma once

#include <string>
#include <string_view>

// Text of others (servers, devices, files, plugins) on its way to a person's terminal. What could steer the terminal or
// deceive the reader is taken out: control characters (C0, DEL, C1), line and paragraph separators, the characters that
// turn the direction of writing (UAX #9: embeddings, overrides, isolates and marks), and what is no UTF-8.
namespace usbloop {

/// In one line: line breaks and tabs become spaces, other control characters are left out, and each byte that is no
/// UTF-8 becomes U+FFFD. Cut at `most` bytes, never within a character.
std::string one_line(std::string_view text, std::size_t most = std::string_view::npos);

/// The same, but line breaks stay: for texts that are made of lines of ours.
std::string shown_lines(std::string_view text);

/// For logs, where nothing may be lost: such bytes as \xNN, line breaks and tabs too.
std::string escaped(std::string_view text);

}  // namespace usbloop
