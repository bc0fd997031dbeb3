#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube-sim/schema/schema.h"

// The notation of the schema files as text (kube-sim/resources/schemas/README.md).
namespace usbloop::apiserver::schema_text {

/// A field or a type as it stands in the text.
struct Line {
  std::string text;
  std::size_t indent = 0;
};

/// The bounds of a type; either may be missing.
struct Bounds {
  std::optional<std::int64_t> least;
  std::optional<std::int64_t> most;
};

/// Throws std::logic_error: the schema files are wrong.
[[noreturn]] void mistake(const std::string& what);

/// The lines of a text without comments and blank ones; what is indented deeper than a field continues the line before.
std::vector<Line> lines_of(std::string_view text);
/// Takes the first word off; the rest begins with its own first word.
std::string take_word(std::string& text);
/// Whether the text began with that, which is then off.
bool take_prefix(std::string& text, std::string_view prefix);
/// Takes "#NUMBER" or "#NUMBER*" off the end of a word; 0 when there is none.
std::uint32_t take_number(std::string& word, bool* starred = nullptr);
/// Takes "{LEAST..MOST}" off the end of a type; nothing when it is not there.
std::optional<Bounds> take_bounds(std::string& type);
/// Of "self.startsWith('TEXT')", "!self.contains('TEXT')" or "self == true".
SchemaRule rule_of(const std::string& rule, const std::string& message);

}  // namespace usbloop::apiserver::schema_text
