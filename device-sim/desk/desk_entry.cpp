#include "device-sim/desk/desk_entry.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "common/bounded_yaml.h"
#include "common/shown_text.h"

namespace usbloop::desk {

namespace {

constexpr std::size_t kLongestName = 32;
constexpr std::size_t kLongestLabel = 126;

/// One field of a device: fills the entry, or says what is wrong and what would be right.
struct Wrong {
  std::string cause;
  std::string cure;
};
using Outcome = std::optional<Wrong>;

std::optional<unsigned> number_of(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 1 || value > most) return std::nullopt;
  return value;
}

Outcome read_name(const std::string& text, DeskEntry& entry) {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  const bool begins = !text.empty() && is_fine(text[0]) && (text[0] < '0' || text[0] > '9') && text[0] != '-';
  if (!begins || text.size() > kLongestName || !std::all_of(text.begin(), text.end(), is_fine)) {
    return Wrong{"the name \"" + one_line(text, 64) + "\" is none",
                 "A letter, then up to 31 letters, digits, - and _: work-stick."};
  }
  entry.name = text;
  return std::nullopt;
}

Outcome read_ports(const std::string& text, DeskEntry& entry) {
  constexpr std::size_t kDeepest = 5;  // hubs between the root hub and a device, USB 2.0 section 4.1.1, and the root
  constexpr unsigned kMostPorts = 255;
  const Wrong wrong{"port: " + one_line(text, 64) + " is no way to a port",
                    "Write the port of each hub down to the device, without the bus: 1, or 1.4."};
  std::string_view rest(text);
  std::string canonical;
  for (std::size_t depth = 0; depth <= kDeepest; ++depth) {
    const auto dot = rest.find('.');
    const auto port = number_of(rest.substr(0, dot), kMostPorts);
    if (!port) return wrong;
    canonical += (canonical.empty() ? "" : ".") + std::to_string(*port);
    if (dot == std::string_view::npos) {
      entry.place.ports = std::move(canonical);
      return std::nullopt;
    }
    rest.remove_prefix(dot + 1);
  }
  return wrong;
}

Outcome read_place(const std::string& key, const std::string& text, DeskEntry& entry) {
  const unsigned most = key == "bus" ? 255 : 127;
  const auto value = number_of(text, most);
  if (!value) {
    return Wrong{key + ": " + one_line(text, 64) + " is no number from 1 to " + std::to_string(most),
                 "lsusb prints both: Bus 001 Device 003 is bus: 1, address: 3."};
  }
  (key == "bus" ? entry.place.bus : entry.place.address) = static_cast<std::uint8_t>(*value);
  return std::nullopt;
}

Outcome read_size(const std::string& text, DeskEntry& entry) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 50;
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  const auto power = std::string("KMGT").find(unit);
  const bool has_unit = unit.size() == 1 && power != std::string::npos;
  const int shift = has_unit ? static_cast<int>(power + 1) * 10 : 0;
  if (code != std::errc() || (!unit.empty() && !has_unit) || value < 1 || value > (kMost >> shift) ||
      (value << shift) % 512 != 0) {
    return Wrong{"size: " + one_line(text, 64) + " is no size of an image",
                 "A number of bytes that 512 divides, or K, M, G or T: size: 64M."};
  }
  entry.size = value << shift;
  return std::nullopt;
}

Outcome read_plugged(const std::string& text, DeskEntry& entry) {
  if (text != "true" && text != "false") {
    return Wrong{"plugged: " + one_line(text, 64) + " is neither true nor false", "Write plugged: false."};
  }
  entry.plugged = text == "true";
  return std::nullopt;
}

Outcome read_label(const std::string& text, DeskEntry& entry) {
  entry.label = one_line(text, kLongestLabel);
  return std::nullopt;
}

/// An option of the kind. `true` and `false` without quotes are those of a switch.
Outcome read_option(const std::string& key, const YAML::Node& node, DeskEntry& entry) {
  const std::string& text = node.Scalar();
  const bool is_plain = node.Tag() != "!";
  if (is_plain && text == "false") return std::nullopt;
  if (text.find('\0') != std::string::npos) return Wrong{key + ": has a NUL byte", "Leave it out."};
  entry.spec.options[key] = is_plain && text == "true" ? "" : text;
  return std::nullopt;
}

Outcome read_field(const std::string& key, const YAML::Node& node, DeskEntry& entry) {
  if (!node.IsScalar() || node.Scalar().empty()) {
    const char* const what = node.IsScalar() ? "nothing" : name_of_yaml(node.Type());
    return Wrong{key + ": is " + what + ", and has to be a plain value",
                 "For example " + key + ": 1, or leave it out."};
  }
  const std::string& text = node.Scalar();
  if (key == "name") return read_name(text, entry);
  if (key == "bus" || key == "address") return read_place(key, text, entry);
  if (key == "port") return read_ports(text, entry);
  if (key == "size") return read_size(text, entry);
  if (key == "plugged") return read_plugged(text, entry);
  if (key == "label") return read_label(text, entry);
  if (key == "kind") {
    entry.spec.kind = text;
    return std::nullopt;
  }
  return read_option(key, node, entry);
}

}  // namespace

Result<DeskEntry> read_entry(const YAML::Node& node) {
  DeskEntry entry;
  entry.line = node.Mark().line + 1;
  const auto wrong = [](int line, const std::string& name, const Wrong& what) {
    return make_error(
        ErrorKind::invalid, "", "",
        "line " + std::to_string(line) + ": " + (name.empty() ? "" : "device " + name + ": ") + what.cause, what.cure);
  };
  if (!node.IsMap()) {
    return wrong(entry.line, "",
                 {std::string("a device is ") + name_of_yaml(node.Type()) + " and no mapping",
                  "For example - {kind: stick, image: stick.img}"});
  }
  std::vector<std::string> seen;
  for (const auto& field : node) {
    const int line = field.first.Mark().line + 1;
    const std::string name = entry.name.empty() ? entry.spec.kind : entry.name;
    if (!field.first.IsScalar()) return wrong(line, name, {"a key is no plain value", "Write a word and a colon."});
    const std::string key = field.first.Scalar();
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return wrong(line, name, {"the key " + one_line(key, 64) + ": is there twice", "Leave one of them out."});
    }
    seen.push_back(key);
    if (const auto what = read_field(key, field.second, entry)) return wrong(line, name, *what);
  }
  if (entry.spec.kind.empty()) {
    return wrong(entry.line, entry.name, {"kind: is missing", "For example kind: stick; device-sim --help has all."});
  }
  if (entry.name.empty()) {
    if (const auto what = read_name(entry.spec.kind, entry)) return wrong(entry.line, "", *what);
  }
  return entry;
}

}  // namespace usbloop::desk
