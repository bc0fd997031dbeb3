#include "kube-sim/documents/gnostic.h"

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

namespace usbloop::apiserver {
namespace {

using nlohmann::ordered_json;

/// One protobuf message under construction. Field numbers are those of OpenAPIv2.proto.
class Message {
 public:
  void text(unsigned field, const std::string& value) {
    tag(field, 2);
    varint(value.size());
    bytes_ += value;
  }
  void message(unsigned field, const Message& value) { text(field, value.bytes_); }
  void boolean(unsigned field, bool value) {
    tag(field, 0);
    varint(value ? 1 : 0);
  }
  void number(unsigned field, double value) {
    tag(field, 1);
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8U) bytes_ += static_cast<char>(bits & 0xffU);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  using Members = std::initializer_list<std::pair<const char*, unsigned>>;
  /// Members of a JSON object that are numbers, where there are any.
  void numbers_of(const ordered_json& object, Members fields) {
    for (const auto& [name, field] : fields) {
      if (const auto found = object.find(name); found != object.end()) number(field, found->get<double>());
    }
  }
  /// The same for those that are counts.
  void counts_of(const ordered_json& object, Members fields) {
    for (const auto& [name, field] : fields) {
      const auto found = object.find(name);
      if (found == object.end()) continue;
      tag(field, 0);
      varint(found->get<std::uint64_t>());
    }
  }

  /// Members of a JSON object that are texts or lists of texts, where there are any.
  void texts_of(const ordered_json& object, Members fields) {
    for (const auto& [name, field] : fields) {
      const auto found = object.find(name);
      if (found == object.end()) continue;
      if (found->is_string()) {
        text(field, found->get<std::string>());
      } else {
        for (const ordered_json& entry : *found) text(field, entry.get<std::string>());
      }
    }
  }

 private:
  void tag(unsigned field, unsigned wire_type) { varint(field << 3U | wire_type); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7fU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

Message named(const std::string& name, const Message& value) {
  Message message;
  message.text(1, name);
  message.message(2, value);
  return message;
}

/// Any: a value as YAML, of which JSON is a part.
Message any(const ordered_json& value) {
  Message message;
  message.text(2, value.dump() + "\n");
  return message;
}

/// vendor_extension: all members whose names begin with "x-".
void add_extensions(const ordered_json& object, unsigned field, Message& message) {
  for (const auto& [name, value] : object.items()) {
    if (name.starts_with("x-")) message.message(field, named(name, any(value)));
  }
}

Message schema_message(const ordered_json& schema) {
  Message message;
  message.texts_of(schema, {{"$ref", 1}, {"format", 2}, {"description", 4}, {"pattern", 13}, {"required", 19}});
  message.numbers_of(schema, {{"maximum", 7}, {"minimum", 9}});
  message.counts_of(schema, {{"maxLength", 11}, {"maxItems", 14}});
  if (const auto allowed = schema.find("enum"); allowed != schema.end()) {
    for (const ordered_json& value : *allowed) message.message(20, any(value));
  }
  if (const auto element = schema.find("additionalProperties"); element != schema.end()) {
    Message item;
    item.message(1, schema_message(*element));
    message.message(21, item);
  }
  if (const auto type = schema.find("type"); type != schema.end()) {
    Message item;
    item.text(1, type->get<std::string>());
    message.message(22, item);
  }
  if (const auto element = schema.find("items"); element != schema.end()) {
    Message item;
    item.message(1, schema_message(*element));
    message.message(23, item);
  }
  if (const auto properties = schema.find("properties"); properties != schema.end()) {
    Message list;
    for (const auto& [name, property] : properties->items()) list.message(1, named(name, schema_message(property)));
    message.message(25, list);
  }
  add_extensions(schema, 31, message);
  return message;
}

/// ParametersItem: of a body, a query or a path.
Message parameter_message(const ordered_json& parameter) {
  const std::string in = parameter.at("in");
  Message inner;
  Message wrapped;
  if (in == "body") {
    inner.texts_of(parameter, {{"description", 1}, {"name", 2}, {"in", 3}});
    inner.boolean(4, parameter.value("required", false));
    inner.message(5, schema_message(parameter.at("schema")));
    wrapped.message(1, inner);
  } else {
    const bool query = in == "query";
    if (parameter.value("required", false)) inner.boolean(1, true);
    inner.texts_of(parameter, {{"in", 2}, {"description", 3}, {"name", 4}, {"type", query ? 6 : 5}});
    Message non_body;
    non_body.message(query ? 3 : 4, inner);
    wrapped.message(2, non_body);
  }
  Message item;
  item.message(1, wrapped);
  return item;
}

Message responses_message(const ordered_json& responses) {
  Message message;
  for (const auto& [code, response] : responses.items()) {
    Message inner;
    inner.texts_of(response, {{"description", 1}});
    Message schema_item;
    schema_item.message(1, schema_message(response.at("schema")));
    inner.message(2, schema_item);
    Message value;
    value.message(1, inner);
    message.message(1, named(code, value));
  }
  return message;
}

void add_parameters(const ordered_json& object, unsigned field, Message& message) {
  const auto parameters = object.find("parameters");
  if (parameters == object.end()) return;
  for (const ordered_json& parameter : *parameters) message.message(field, parameter_message(parameter));
}

Message operation_message(const ordered_json& operation) {
  Message message;
  message.texts_of(operation, {{"operationId", 5}, {"produces", 6}, {"consumes", 7}});
  add_parameters(operation, 8, message);
  message.message(9, responses_message(operation.at("responses")));
  add_extensions(operation, 13, message);
  return message;
}

Message path_message(const ordered_json& path) {
  constexpr std::pair<const char*, unsigned> kMethods[] = {
      {"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}};
  Message message;
  for (const auto& [method, field] : kMethods) {
    if (path.contains(method)) message.message(field, operation_message(path.at(method)));
  }
  add_parameters(path, 9, message);
  return message;
}

}  // namespace

std::string gnostic_v2(const ordered_json& document) {
  Message message;
  message.texts_of(document, {{"swagger", 1}});
  Message info;
  info.texts_of(document.at("info"), {{"title", 1}, {"version", 2}});
  message.message(2, info);
  Message paths;
  for (const auto& [name, path] : document.at("paths").items()) paths.message(2, named(name, path_message(path)));
  message.message(8, paths);
  Message definitions;
  for (const auto& [name, schema] : document.at("definitions").items()) {
    definitions.message(1, named(name, schema_message(schema)));
  }
  message.message(9, definitions);
  return message.bytes();
}

}  // namespace usbloop::apiserver
