#include "kube-sim/objects/protobuf_envelope.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "common/kube/encoding.h"
#include "kube-sim/objects/protobuf_kinds.h"
#include "kube-sim/request/time.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// Reads the fields of one protobuf message one after the other. Never reads beyond the bytes.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  struct Field {
    std::uint64_t number = 0;
    std::string_view bytes;    ///< length-delimited fields
    std::uint64_t varint = 0;  ///< varint fields
  };

  /// Nothing at the end, and at the first broken field: failed() tells which.
  std::optional<Field> next() {
    if (rest_.empty() || failed_) return std::nullopt;
    const std::uint64_t tag = varint();
    Field field;
    field.number = tag >> 3U;
    switch (tag & 7U) {
      case 0: field.varint = varint(); break;
      case 1: skip(8); break;
      case 2: field.bytes = take(varint()); break;
      case 5: skip(4); break;
      default: failed_ = true;
    }
    if (failed_) return std::nullopt;
    return field;
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    failed_ = true;
    return 0;
  }
  std::string_view take(std::uint64_t length) {
    if (failed_ || length > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return bytes;
  }
  void skip(std::size_t length) { take(length); }

  std::string_view rest_;
  bool failed_ = false;
};

bool read_message(std::string_view bytes, const proto::Message& message, json& object);

bool read_map_entry(std::string_view bytes, bool encoded, json& map) {
  static const proto::Message kEntry = {{1, "key", proto::Type::text}, {2, "value", proto::Type::text}};
  json entry = json::object();
  if (!read_message(bytes, kEntry, entry)) return false;
  const std::string value = entry.value("value", "");
  map[entry.value("key", "")] = encoded ? kube::base64_encode(value) : value;
  return true;
}

/// Time{seconds, nanos}; all zero is no time.
bool read_time(std::string_view bytes, bool micros, json& value) {
  static const proto::Message kTime = {{1, "seconds", proto::Type::integer}, {2, "nanos", proto::Type::integer}};
  json time = json::object();
  if (!read_message(bytes, kTime, time)) return false;
  constexpr std::int64_t kEndOfYear9999 = 253'402'300'799;
  const std::int64_t seconds = time.value("seconds", std::int64_t{0});
  const std::int64_t nanos = time.value("nanos", std::int64_t{0});
  if (seconds < 0 || seconds > kEndOfYear9999 || nanos < 0 || nanos > 999'999'999) return false;
  if (seconds == 0 && nanos == 0) return true;
  std::string text = format_time(seconds);
  if (micros) {
    char fraction[16];
    std::snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>(nanos / 1000));
    text.replace(text.size() - 1, 1, fraction);
  }
  value = std::move(text);
  return true;
}

bool read_int_or_string(std::string_view bytes, json& value) {
  static const proto::Message kFields = {
      {1, "type", proto::Type::integer}, {2, "intVal", proto::Type::integer}, {3, "strVal"}};
  json read = json::object();
  if (!read_message(bytes, kFields, read)) return false;
  const bool is_text = read.value("type", std::int64_t{0}) == 1;
  value = is_text ? json(read.value("strVal", "")) : json(read.value("intVal", std::int64_t{0}));
  return true;
}

bool read_field(const MessageReader::Field& field, const proto::Field& known, json& object) {
  using proto::Type;
  const auto message_into = [&](json& value) {
    value = json::object();
    return read_message(field.bytes, *known.message, value);
  };
  switch (known.type) {
    case Type::text:
      if (!field.bytes.empty()) object[known.name] = std::string(field.bytes);
      return true;
    case Type::texts: object[known.name].push_back(std::string(field.bytes)); return true;
    case Type::integer: object[known.name] = static_cast<std::int64_t>(field.varint); return true;
    case Type::count:
      if (field.varint != 0) object[known.name] = static_cast<std::int64_t>(field.varint);
      return true;
    case Type::boolean: object[known.name] = field.varint != 0; return true;
    case Type::flag:
      if (field.varint != 0) object[known.name] = true;
      return true;
    case Type::int_or_string: return read_int_or_string(field.bytes, object[known.name]);
    case Type::map:
    case Type::bytes_map: return read_map_entry(field.bytes, known.type == Type::bytes_map, object[known.name]);
    case Type::message: return message_into(object[known.name]);
    case Type::messages: {
      json item;
      if (!message_into(item)) return false;
      object[known.name].push_back(std::move(item));
      return true;
    }
    case Type::time:
    case Type::micro_time: {
      json time;
      if (!read_time(field.bytes, known.type == Type::micro_time, time)) return false;
      if (!time.is_null()) object[known.name] = std::move(time);
      return true;
    }
  }
  return true;
}

/// Fields that the table does not know are skipped. Recursion ends with the table.
bool read_message(std::string_view bytes, const proto::Message& message, json& object) {
  MessageReader reader(bytes);
  while (const auto field = reader.next()) {
    for (const proto::Field& known : message) {
      if (known.number == field->number && !read_field(*field, known, object)) return false;
    }
  }
  return !reader.failed();
}

}  // namespace

tl::expected<json, kube::Status> decode_protobuf_envelope(std::string_view bytes) {
  constexpr std::string_view kMagic("k8s\0", 4);
  const auto broken = [] { return tl::unexpected(kube::bad_request("the body is not a valid protobuf object")); };
  if (!bytes.starts_with(kMagic)) return broken();
  bytes.remove_prefix(kMagic.size());
  static const proto::Message kType = {{1, "apiVersion", proto::Type::text}, {2, "kind", proto::Type::text}};
  json object = json::object();
  std::string_view raw;
  MessageReader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1 && !read_message(field->bytes, kType, object)) return broken();
    if (field->number == 2) raw = field->bytes;
  }
  if (reader.failed()) return broken();
  const proto::Message* kind = proto::message_of_kind(object.value("kind", ""));
  if (kind == nullptr) {
    return tl::unexpected(kube::unsupported_media_type({"application/json", "application/yaml"}));
  }
  return read_message(raw, *kind, object) ? tl::expected<json, kube::Status>(std::move(object)) : broken();
}

}  // namespace usbloop::apiserver
