#include "client/devices/filter_rules.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "common/shown_text.h"

namespace usbloop::client {

namespace {

constexpr std::size_t kMostShown = 80;
constexpr const char* kRuleForm =
    "A rule is CLASS,VENDOR,PRODUCT,VERSION,ALLOW with -1 for any, and ALLOW 0 or 1; rules are joined by |. For "
    "example "
    "0x08,-1,-1,-1,1 allows storage.";

/// A number from `least` to `most`, decimal or 0x hexadecimal.
std::optional<int> number_in(std::string_view text, int least, int most) {
  if (text == "-1" && least == -1) return -1;
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) text.remove_prefix(2);
  if (!is_hex && text.size() > 1 && text.front() == '0') return std::nullopt;  // octal to the library
  unsigned value = 0;
  const auto* last = text.data() + text.size();
  const auto [end, code] = std::from_chars(text.data(), last, value, is_hex ? 16 : 10);
  if (code != std::errc{} || end != last || value > static_cast<unsigned>(most)) return std::nullopt;
  return static_cast<int>(value);
}

/// The parts between separators, all of them, empty ones too.
std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<usbredirfilter_rule> parse_rule(std::string_view text) {
  const auto parts = parts_of(text, ',');
  if (parts.size() != 5) return std::nullopt;
  const auto device_class = number_in(parts[0], -1, 0xff);
  const auto vendor = number_in(parts[1], -1, 0xffff);
  const auto product = number_in(parts[2], -1, 0xffff);
  const auto version = number_in(parts[3], -1, 0xffff);
  const auto allow = number_in(parts[4], 0, 1);
  if (!device_class || !vendor || !product || !version || !allow) return std::nullopt;
  return usbredirfilter_rule{*device_class, *vendor, *product, *version, *allow};
}

tl::unexpected<Error> wrong_rule(std::string_view rule, const std::string& cause) {
  return make_error(ErrorKind::invalid, "use", "the filter rule \"" + one_line(rule, kMostShown) + "\"", cause,
                    kRuleForm);
}

/// The library's judgement by the first `count` rules.
int judge(const std::vector<usbredirfilter_rule>& rules, std::size_t count, const FilteredDevice& device, int flags) {
  std::array<std::uint8_t, 32> classes{};  // as many interfaces as usbredir carries
  std::array<std::uint8_t, 32> subclasses{};
  std::array<std::uint8_t, 32> protocols{};
  const std::size_t interfaces = std::min(device.interfaces.size(), classes.size());
  for (std::size_t index = 0; index < interfaces; ++index) {
    classes[index] = device.interfaces[index].number;
    subclasses[index] = device.interfaces[index].subclass;
    protocols[index] = device.interfaces[index].protocol;
  }
  const auto& own = device.device_class;
  return usbredirfilter_check(rules.data(), static_cast<int>(count), own.number, own.subclass, own.protocol,
                              classes.data(), subclasses.data(), protocols.data(), static_cast<int>(interfaces),
                              device.vendor, device.product, device.version, flags);
}

}  // namespace

Result<> FilterRules::add(std::string_view text) {
  std::vector<usbredirfilter_rule> rules;
  std::vector<std::string> texts;
  for (const auto part : parts_of(text, '|')) {
    if (rules_.size() + rules.size() >= kMostRules) {
      return wrong_rule(part, "there are more than " + std::to_string(kMostRules) + " rules");
    }
    const auto rule = parse_rule(part);
    if (!rule) return wrong_rule(part, part.empty() ? "it is empty" : "it is none");
    rules.push_back(*rule);
    texts.emplace_back(part);
  }
  rules_.insert(rules_.end(), rules.begin(), rules.end());
  texts_.insert(texts_.end(), texts.begin(), texts.end());
  return {};
}

std::optional<std::string> FilterRules::refusal(const FilteredDevice& device) const {
  if (rules_.empty()) return std::nullopt;
  if (device.interfaces.empty() || device.interfaces.size() > 32) {
    return "its interfaces are not known, so no rule can allow it";
  }
  const int outcome = judge(rules_, rules_.size(), device, 0);
  if (outcome == 0) return std::nullopt;
  if (outcome == -EPERM) {
    // The rule with which the refusal begins is the one that refuses.
    for (std::size_t count = 1; count <= rules_.size(); ++count) {
      if (judge(rules_, count, device, usbredirfilter_fl_default_allow) == -EPERM) {
        return "the filter rule " + texts_[count - 1] + " refuses it";
      }
    }
  }
  return "no filter rule allows it (-1,-1,-1,-1,1 as the last rule allows all others)";
}

}  // namespace usbloop::client
