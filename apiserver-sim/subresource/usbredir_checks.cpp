#include "apiserver-sim/subresource/usbredir_checks.h"

#include <algorithm>
#include <string_view>

#include "apiserver-sim/resources/node.h"
#include "apiserver-sim/resources/resource.h"
#include "apiserver-sim/resources/vmi.h"

namespace usbloop::apiserver {
namespace {

constexpr const char* kGroup = "kubevirt.io";
constexpr const char* kVmi = "virtualmachineinstance";  // virt-api names the kind and not the plural
constexpr const char* kChannelPointer = "/metadata/annotations/usbloop.dev~1channel";

/// The path in the node's annotation "unix:/…"; empty when there is none.
std::string channel_of(const Store& store, const std::string& node) {
  constexpr std::string_view kScheme = "unix:";
  const ObjectPtr object = node.empty() ? nullptr : store.get({kNodeResource, "", node});
  if (!object) return {};
  const std::string channel = text_at(object->parse(), kChannelPointer);
  return channel.starts_with(kScheme) ? channel.substr(kScheme.size()) : std::string();
}

}  // namespace

tl::expected<NodeChannel, kube::Status> check_usbredir(const Store& store, const std::string& namespace_,
                                                       const std::string& name) {
  const ObjectPtr object = store.get({kVmiResource, namespace_, name});
  if (!object) return tl::unexpected(kube::not_found(kGroup, kVmi, name));
  const nlohmann::json vmi = object->parse();
  if (text_at(vmi, "/spec/architecture") == "s390x") {
    return tl::unexpected(kube::conflict(kGroup, kVmi, name, "No USB support on s390x"));
  }
  const nlohmann::json* passthrough = element_at(vmi, "/spec/domain/devices/clientPassthrough");
  if (passthrough == nullptr || !passthrough->is_object()) {
    return tl::unexpected(kube::conflict(kGroup, kVmi, name, "Not configured with USB Redirection"));
  }
  if (text_at(vmi, "/status/phase") != "Running") return tl::unexpected(kube::bad_request("VMI is not running"));
  NodeChannel channel;
  channel.node = text_at(vmi, "/status/nodeName");
  channel.socket_path = channel_of(store, channel.node);
  if (channel.socket_path.empty()) {
    return tl::unexpected(kube::bad_request("No virt-handler on node " + channel.node + " found"));
  }
  return channel;
}

kube::Status dial_failure(const std::string& cause) { return kube::internal_error("dialing virt-handler: " + cause); }

kube::Status handshake_refused(int code, const std::string& text) {
  std::string cause = "Can't connect to websocket (" + std::to_string(code) + "): websocket: bad handshake";
  const std::string_view info = std::string_view(text).substr(0, text.find_last_not_of(" \r\n\t") + 1);
  if (!info.empty()) cause.append(": application info: ").append(info);
  return kube::internal_error(cause);
}

std::string refusal_body(kube::Status status) {
  std::string body = kube::body_indented(status);
  // The long part is what a node or a system call said; it stands in the message and in the causes.
  while (body.size() > kMaxRefusalBytes && !status.message.empty()) {
    // It stands in the body twice, and a byte of it takes up to six there ("\u0001"): small steps, so that as much as
    // possible is left.
    const std::size_t step = (body.size() - kMaxRefusalBytes) / 12 + 1;
    const auto shorten = [&](std::string& text) { text.resize(text.size() - std::min(text.size(), step)); };
    shorten(status.message);
    for (kube::StatusCause& cause : status.causes) shorten(cause.message);
    body = kube::body_indented(status);
  }
  return body;
}

}  // namespace usbloop::apiserver
