#include "device-sim/model/model_message.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/ascii_text.h"
#include "common/json_at.h"
#include "common/json_text.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

using nlohmann::json;
using usbredir::Speed;

constexpr std::size_t kDeviceDescriptor = 18;  // bytes (USB 2.0, 9.6.1)
constexpr std::size_t kMostStrings = 255;

tl::unexpected<Error> wrong(const std::string& cause) {
  return make_error(ErrorKind::invalid, "understand", "the model", cause, "docs/devices.md has its lines.");
}

std::string shown_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    text += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

std::optional<std::vector<std::byte>> bytes_of_hex(const std::string& text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = hex_value(text[at]), low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

/// The bytes at a pointer; empty where there is nothing.
Result<std::vector<std::byte>> bytes_at(const json& object, const char* pointer) {
  const json* value = element_at(object, pointer);
  if (value == nullptr) return std::vector<std::byte>{};
  if (value->is_string()) {
    if (auto bytes = bytes_of_hex(value->get<std::string>())) return std::move(*bytes);
  }
  return wrong(std::string(pointer + 1) + " is no hexadecimal text");
}

std::optional<Speed> speed_of(const std::string& word) {
  for (const Speed speed : {Speed::low, Speed::full, Speed::high, Speed::super}) {
    if (word == to_string(speed)) return speed;
  }
  return std::nullopt;
}

/// What the guest could be asked for, and the lines have no words for.
Result<> check_endpoints(const usbredir::Configuration& configuration) {
  for (const auto& setting : configuration.settings) {
    for (const auto& endpoint : setting.endpoints) {
      if (endpoint.type == usbredir::TransferType::iso) return wrong("a model has no isochronous endpoints");
      if (endpoint.max_streams > 0) return wrong("a model has no bulk streams");
    }
  }
  return {};
}

Result<> read_descriptors(const json& object, DescriptorSet& set) {
  for (const auto& [pointer, into] :
       {std::pair("/device", &set.device), std::pair("/configuration", &set.configuration), std::pair("/bos", &set.bos),
        std::pair("/device_qualifier", &set.device_qualifier),
        std::pair("/other_speed_configuration", &set.other_speed_configuration)}) {
    auto bytes = bytes_at(object, pointer);
    if (!bytes) return tl::unexpected(bytes.error());
    *into = std::move(*bytes);
  }
  if (set.device.size() != kDeviceDescriptor || set.device[0] != std::byte{kDeviceDescriptor} ||
      set.device[1] != std::byte{usbredir::descriptor_type::kDevice})
    return wrong("its device descriptor is none (18 bytes, 1201...)");
  for (const json& text : array_at(object, "/strings")) {
    if (!text.is_string() || set.strings.size() == kMostStrings) return wrong("strings are at most 255 texts");
    set.strings.push_back(text.get<std::string>());
  }
  return {};
}

std::string string_of(const DescriptorSet& set, std::size_t at) {
  const auto index = std::to_integer<std::size_t>(set.device[at]);
  return index > 0 && index <= set.strings.size() ? set.strings[index - 1] : std::string();
}

std::uint16_t word_of_device(const DescriptorSet& set, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(set.device[at]) |
                                    std::to_integer<unsigned>(set.device[at + 1]) << 8);
}

std::string line_of(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

}  // namespace

Result<ModelHello> parse_model_hello(std::string_view line, const std::string& name) {
  const auto object = parse_json_object(line);
  if (!object) return wrong("its first line is no JSON object: " + object.error().cause);
  const auto speed = speed_of(text_at(*object, "/speed"));
  if (!speed) return wrong("speed is not low, full, high or super");
  ModelHello hello;
  DescriptorSet& set = hello.descriptors;
  if (auto read = read_descriptors(*object, set); !read) return tl::unexpected(read.error());
  const auto configuration = usbredir::parse_configuration(set.configuration);
  if (!configuration) return wrong("its configuration descriptor: " + configuration.error().cause);
  if (auto fine = check_endpoints(*configuration); !fine) return tl::unexpected(fine.error());
  hello.description = {word_of_device(set, 8), word_of_device(set, 10), *speed,         string_of(set, 14),
                       string_of(set, 15),     string_of(set, 16),      "model " + name};
  return hello;
}

Result<ModelAnswer> parse_model_answer(std::string_view line) {
  const auto object = parse_json_object(line);
  if (!object) return wrong("a line is no JSON object: " + object.error().cause);
  const json* id = element_at(*object, "/id");
  if (id == nullptr || !id->is_number_unsigned()) return wrong("an answer has no id");
  ModelAnswer answer{.id = id->get<std::uint64_t>()};
  if (const std::string word = text_at(*object, "/status"); !word.empty() && word != "success") {
    if (word == "stall") {
      answer.status = TransferStatus::stall;
    } else if (word == "io_error") {
      answer.status = TransferStatus::io_error;
    } else if (word == "timeout") {
      answer.status = TransferStatus::timeout;
    } else if (word == "babble") {
      answer.status = TransferStatus::babble;
    } else {
      return wrong("an answer's status is not success, stall, io_error, timeout or babble");
    }
  }
  auto data = bytes_at(*object, "/data");
  if (!data) return tl::unexpected(data.error());
  if (data->size() > kMostModelData) return wrong("an answer has more than 1 MiB");
  answer.data = std::move(*data);
  return answer;
}

std::string control_line(std::uint64_t id, const SetupPacket& setup, std::span<const std::byte> data) {
  return line_of({{"id", id},
                  {"control",
                   {{"request_type", setup.request_type},
                    {"request", setup.request},
                    {"value", setup.value},
                    {"index", setup.index},
                    {"length", setup.length},
                    {"data", shown_hex(data)}}}});
}

std::string out_line(std::uint64_t id, std::uint8_t endpoint, std::span<const std::byte> data) {
  return line_of({{"id", id}, {"out", {{"endpoint", endpoint}, {"data", shown_hex(data)}}}});
}

std::string in_line(std::uint64_t id, std::uint8_t endpoint, std::size_t length) {
  return line_of({{"id", id}, {"in", {{"endpoint", endpoint}, {"length", length}}}});
}

std::string reset_line() { return line_of({{"reset", true}}); }

std::string select_line(std::uint8_t interface, std::uint8_t alternate) {
  return line_of({{"select", {{"interface", interface}, {"alternate", alternate}}}});
}

std::string clear_halt_line(std::uint8_t endpoint) { return line_of({{"clear_halt", {{"endpoint", endpoint}}}}); }

}  // namespace usbloop::device_sim
