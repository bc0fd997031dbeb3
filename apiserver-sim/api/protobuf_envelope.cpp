#include "apiserver-sim/api/protobuf_envelope.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

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

using OnField = std::function<bool(const MessageReader::Field&)>;

/// Calls `on_field` for each; false when the bytes are broken or `on_field` says so.
bool each_field(std::string_view bytes, const OnField& on_field) {
  MessageReader reader(bytes);
  while (const auto field = reader.next()) {
    if (!on_field(*field)) return false;
  }
  return !reader.failed();
}

/// Names of string fields by number.
using Names = std::map<std::uint64_t, const char*>;

bool read_strings(std::string_view bytes, const Names& names, json& object) {
  return each_field(bytes, [&](const MessageReader::Field& field) {
    const auto name = names.find(field.number);
    if (name != names.end() && !field.bytes.empty()) object[name->second] = std::string(field.bytes);
    return true;
  });
}

bool read_map_entry(std::string_view bytes, json& map) {
  json entry = {{"key", ""}, {"value", ""}};
  if (!read_strings(bytes, {{1, "key"}, {2, "value"}}, entry)) return false;
  map[entry["key"].get<std::string>()] = entry["value"];
  return true;
}

bool read_metadata(std::string_view bytes, json& metadata) {
  if (!read_strings(bytes, {{1, "name"}, {2, "generateName"}, {3, "namespace"}}, metadata)) return false;
  return each_field(bytes, [&](const MessageReader::Field& field) {
    if (field.number == 11) return read_map_entry(field.bytes, metadata["labels"]);
    if (field.number == 12) return read_map_entry(field.bytes, metadata["annotations"]);
    return true;
  });
}

bool read_access_review_spec(std::string_view bytes, json& spec) {
  const Names attributes = {{1, "namespace"}, {2, "verb"},        {3, "group"}, {4, "version"},
                            {5, "resource"},  {6, "subresource"}, {7, "name"}};
  return each_field(bytes, [&](const MessageReader::Field& field) {
    if (field.number == 1) return read_strings(field.bytes, attributes, spec["resourceAttributes"] = json::object());
    if (field.number == 2) {
      return read_strings(field.bytes, {{1, "path"}, {2, "verb"}}, spec["nonResourceAttributes"] = json::object());
    }
    return true;
  });
}

bool read_delete_options(std::string_view bytes, json& options) {
  return each_field(bytes, [&](const MessageReader::Field& field) {
    if (field.number == 1) options["gracePeriodSeconds"] = field.varint;
    if (field.number == 2) {
      return read_strings(field.bytes, {{1, "uid"}, {2, "resourceVersion"}}, options["preconditions"] = json::object());
    }
    if (field.number == 4) options["propagationPolicy"] = std::string(field.bytes);
    if (field.number == 5) options["dryRun"].push_back(std::string(field.bytes));
    return true;
  });
}

/// Reads the object of a kind; false when it is broken. `known` becomes false for kinds that we do not read.
bool read_kind(const std::string& kind, std::string_view bytes, json& object, bool& known) {
  if (kind == "DeleteOptions") return read_delete_options(bytes, object);
  const bool review = kind == "SelfSubjectAccessReview" || kind == "SelfSubjectRulesReview";
  known = review || kind == "SelfSubjectReview" || kind == "Namespace";
  if (!known) return true;
  object["metadata"] = json::object();
  return each_field(bytes, [&](const MessageReader::Field& field) {
    if (field.number == 1) return read_metadata(field.bytes, object["metadata"]);
    if (field.number != 2 || !review) return true;
    json& spec = object["spec"] = json::object();
    if (kind == "SelfSubjectRulesReview") return read_strings(field.bytes, {{1, "namespace"}}, spec);
    return read_access_review_spec(field.bytes, spec);
  });
}

}  // namespace

tl::expected<json, kube::Status> decode_protobuf_envelope(std::string_view bytes) {
  constexpr std::string_view kMagic("k8s\0", 4);
  const auto broken = [] { return tl::unexpected(kube::bad_request("the body is not a valid protobuf object")); };
  if (!bytes.starts_with(kMagic)) return broken();
  bytes.remove_prefix(kMagic.size());
  json object = json::object();
  std::string_view raw;
  const bool read = each_field(bytes, [&](const MessageReader::Field& field) {
    if (field.number == 1) return read_strings(field.bytes, {{1, "apiVersion"}, {2, "kind"}}, object);
    if (field.number == 2) raw = field.bytes;
    return true;
  });
  bool known = true;
  if (!read || !read_kind(object.value("kind", ""), raw, object, known)) return broken();
  if (!known) return tl::unexpected(kube::unsupported_media_type({"application/json", "application/yaml"}));
  return object;
}

}  // namespace usbloop::apiserver
