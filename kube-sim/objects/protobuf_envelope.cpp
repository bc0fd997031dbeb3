#include "kube-sim/objects/protobuf_envelope.h"

#include <algorithm>
#include <string>

#include "kube-sim/objects/protobuf_message.h"
#include "kube-sim/objects/protobuf_object.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// Whether messages of the kind are known: metadata has a number in all.
bool has_numbers(const Schema& schema) {
  return std::any_of(schema.fields.begin(), schema.fields.end(),
                     [](const SchemaField& field) { return field.number > 1; });
}

/// Null for kinds that do not come as protobuf.
const Schema* message_schema(const SchemaSet& schemas, const std::string& api_version, const std::string& kind) {
  // Of every group, as the meta package is in each.
  if (kind == "DeleteOptions") return schemas.type("io.k8s.apimachinery.pkg.apis.meta.v1", kind);
  const SchemaPackage* package = schemas.package(api_version);
  const Schema* schema = schemas.kind(api_version, kind);
  if (schema == nullptr && api_version.ends_with("/v1beta1")) {
    // The one that is served, of authentication.k8s.io, has the numbers of v1. Not each version has: RBAC's v1alpha1.
    const std::string stable = api_version.substr(0, api_version.find('/')) + "/v1";
    package = schemas.package(stable);
    schema = schemas.kind(stable, kind);
  }
  if (schema == nullptr || package == nullptr || package->custom) return nullptr;
  return has_numbers(*schema) ? schema : nullptr;
}

kube::Status broken(std::string why = "the body is not a valid protobuf object") {
  return kube::bad_request(std::move(why));
}

}  // namespace

tl::expected<json, kube::Status> decode_protobuf_envelope(std::string_view bytes, const SchemaSet& schemas) {
  constexpr std::string_view kMagic("k8s\0", 4);
  if (!bytes.starts_with(kMagic)) return tl::unexpected(broken());
  bytes.remove_prefix(kMagic.size());
  std::string api_version;
  std::string kind;
  std::string_view raw;
  proto::MessageReader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 2) raw = field->bytes;
    if (field->number != 1) continue;
    proto::MessageReader type(field->bytes);
    while (const auto part = type.next()) {
      if (part->number == 1) api_version = part->bytes;
      if (part->number == 2) kind = part->bytes;
    }
    if (type.failed()) return tl::unexpected(broken());
  }
  if (reader.failed()) return tl::unexpected(broken());
  const Schema* schema = message_schema(schemas, api_version, kind);
  if (schema == nullptr) {
    return tl::unexpected(kube::unsupported_media_type({"application/json", "application/yaml"}));
  }
  json object = {{"apiVersion", api_version}, {"kind", kind}};
  if (auto read = read_protobuf(raw, *schema, object); !read) return tl::unexpected(broken(read.error()));
  return object;
}

}  // namespace usbloop::apiserver
