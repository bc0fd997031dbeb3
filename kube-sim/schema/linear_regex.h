#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace usbloop::apiserver {

/// A regular expression whose search takes time in proportion to the text and the expression, whatever both are: for
/// the patterns of people's schemas, which Go's RE2 takes. Bytes, not characters: a class of other letters than ASCII's
/// is refused. Has groups, alternatives, `* + ?` and `{n,m}` (also lazy ones, which find the same), classes with
/// ranges, `\d \w \s` and their inverses, `^`, `$`, and escapes. Value type, thread-safe.
class LinearRegex {
 public:
  /// Nothing for what is no such expression or becomes longer than 5,000 steps.
  static std::optional<LinearRegex> compile(std::string_view pattern);

  /// Whether some part of the text fits.
  [[nodiscard]] bool finds(std::string_view text) const;

 private:
  class Compiler;
  using Bytes = std::bitset<256>;
  struct Step {
    enum class Kind : std::uint8_t { bytes, split, jump, begin, end, match };
    Kind kind = Kind::match;
    std::size_t next = 0;   ///< of split and jump
    std::size_t other = 0;  ///< of split
    Bytes bytes = {};
  };
  void follow(std::size_t step, bool at_begin, bool at_end, std::vector<std::size_t>& list,
              std::vector<std::size_t>& seen, std::size_t round) const;

  std::vector<Step> steps_;
};

}  // namespace usbloop::apiserver
