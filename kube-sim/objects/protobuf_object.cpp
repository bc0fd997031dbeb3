#include "kube-sim/objects/protobuf_object.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/kube/encoding.h"
#include "common/timestamp.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/objects/protobuf_message.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using proto::Field;
using Type = Schema::Type;

constexpr const char* kBroken = "the body is not a valid protobuf object";

/// The numbers and texts of a small message without a schema: Time, IntOrString, Quantity, an entry of a map.
struct Parts {
  std::int64_t numbers[4] = {};
  std::string_view bytes[4] = {};

  /// False when the message is broken.
  bool read(std::string_view message) {
    proto::MessageReader reader(message);
    while (const auto field = reader.next()) {
      if (field->number > 3) continue;
      numbers[field->number] = static_cast<std::int64_t>(field->varint);
      bytes[field->number] = field->bytes;
    }
    return !reader.failed();
  }
};

class ObjectReader {
 public:
  std::string error;

  /// `path`: of the object, for the error.
  bool read(std::string_view bytes, const Schema& schema, json& object, const std::string& path, int depth) {
    if (depth > kMaxJsonDepth) return fail("the object is nested too deeply");
    proto::MessageReader reader(bytes);
    while (const auto field = reader.next()) {
      if (!read_field(*field, schema, object, path, depth)) return false;
    }
    return !reader.failed() || fail(kBroken);
  }

 private:
  bool fail(std::string why) {
    error = std::move(why);
    return false;
  }

  bool read_field(const Field& field, const Schema& schema, json& object, const std::string& path, int depth) {
    for (const Schema::Inlined& inlined : schema.inlined) {
      if (inlined.number != field.number) continue;
      if (field.wire != Field::Wire::bytes) return fail(kBroken);
      return read(field.bytes, *inlined.schema, object, path, depth + 1);
    }
    for (const SchemaField& known : schema.fields) {
      if (known.number == 0 || known.number != field.number) continue;
      return read_known(field, known, object, path.empty() ? known.name : path + "." + known.name, depth);
    }
    if (proto::says_nothing(field)) return true;
    return fail("this server does not read field " + std::to_string(field.number) +
                (path.empty() ? std::string(" of the object") : " of " + path) +
                " from protobuf; send the object as JSON");
  }

  bool read_known(const Field& field, const SchemaField& known, json& object, const std::string& path, int depth) {
    const Schema& schema = *known.schema;
    if (schema.type == Type::map) return read_entry(field, schema, object[known.name], path, depth);
    const bool is_list = schema.type == Type::array;
    auto value = read_value(field, is_list ? *schema.element : schema, path, depth);
    if (!value) return false;
    if (is_list) {
      object[known.name].push_back(std::move(*value));
    } else if (!value->is_null() && (known.keeps_zero || !is_zero(*value))) {
      object[known.name] = std::move(*value);
    }
    return true;
  }

  /// Of the scalars. An object is there also when it is empty.
  static bool is_zero(const json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>().empty();
    if (value.is_boolean()) return value == false;
    return value.is_number_integer() && value == 0;
  }

  bool read_entry(const Field& field, const Schema& map, json& object, const std::string& path, int depth) {
    Parts entry;
    if (field.wire != Field::Wire::bytes || !entry.read(field.bytes)) return fail(kBroken);
    const std::string key(entry.bytes[1]);
    Field content{2, Field::Wire::bytes, 0, entry.bytes[2]};
    json value;
    if (map.element->type == Type::array) {  // a message whose field 1 is the list
      value = json::array();
      proto::MessageReader items(content.bytes);
      while (const auto item = items.next()) {
        auto read = read_value(*item, *map.element->element, path, depth + 1);
        if (!read) return false;
        value.push_back(std::move(*read));
      }
      if (items.failed()) return fail(kBroken);
    } else {
      auto read = read_value(content, *map.element, path, depth + 1);
      if (!read) return false;
      value = std::move(*read);
    }
    object[key] = std::move(value);
    return true;
  }

  /// Null for a time that is none. Nothing when the bytes are refused.
  std::optional<json> read_value(const Field& field, const Schema& schema, const std::string& path, int depth) {
    const bool is_number = schema.type == Type::integer || schema.type == Type::boolean;
    const auto refuse = [this]() -> std::optional<json> {
      fail(kBroken);
      return std::nullopt;
    };
    if ((field.wire == Field::Wire::varint) != is_number || field.wire == Field::Wire::fixed) return refuse();
    Parts parts;
    switch (schema.type) {
      case Type::integer: return json(static_cast<std::int64_t>(field.varint));
      case Type::boolean: return json(field.varint != 0);
      case Type::string:
        return schema.format == "byte" ? kube::base64_encode(std::string(field.bytes)) : std::string(field.bytes);
      case Type::time: return read_time(field.bytes, schema.microseconds);
      case Type::quantity:
        if (!parts.read(field.bytes)) return refuse();
        return json(std::string(parts.bytes[1]));
      case Type::int_or_string:
        if (!parts.read(field.bytes)) return refuse();
        return parts.numbers[1] == 1 ? json(std::string(parts.bytes[3])) : json(parts.numbers[2]);
      case Type::object:
        if (schema.name.empty()) return read_raw(field.bytes);
        if (json object = json::object(); read(field.bytes, schema, object, path, depth + 1)) return object;
        return std::nullopt;
      default: return refuse();
    }
  }

  /// Time{seconds, nanos}; all zero is no time.
  std::optional<json> read_time(std::string_view bytes, bool micros) {
    constexpr std::int64_t kEndOfYear9999 = 253'402'300'799;
    Parts parts;
    const bool whole = parts.read(bytes);
    const std::int64_t seconds = parts.numbers[1];
    const std::int64_t nanos = parts.numbers[2];
    if (!whole || seconds < 0 || seconds > kEndOfYear9999 || nanos < 0 || nanos > 999'999'999) {
      fail(kBroken);
      return std::nullopt;
    }
    if (seconds == 0 && nanos == 0) return json();
    std::string text = format_time(seconds);
    if (micros) {
      char fraction[16];
      std::snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>(nanos / 1000));
      text.replace(text.size() - 1, 1, fraction);
    }
    return json(std::move(text));
  }

  /// An object of which no fields are known comes as JSON in field 1.
  std::optional<json> read_raw(std::string_view bytes) {
    Parts parts;
    if (!parts.read(bytes)) {
      fail(kBroken);
      return std::nullopt;
    }
    if (parts.bytes[1].empty()) return json();
    auto tree = parse_json(parts.bytes[1]);
    if (tree) return std::move(*tree);
    fail(tree.error().message);
    return std::nullopt;
  }
};

}  // namespace

tl::expected<void, std::string> read_protobuf(std::string_view bytes, const Schema& schema, json& object) {
  ObjectReader reader;
  if (reader.read(bytes, schema, object, "", 0)) return {};
  return tl::unexpected(std::move(reader.error));
}

}  // namespace usbloop::apiserver
