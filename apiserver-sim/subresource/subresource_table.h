#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/subresource/vmi_checks.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

// What subresources.kubevirt.io serves. wire.md sections 9, 12 and 14.
namespace usbloop::apiserver {

/// The versions of the group, the preferred one first; all serve the same.
inline constexpr std::array<std::string_view, 2> kSubresourceVersions = {"v1", "v1alpha3"};

/// Answers one authorized request. May block for kNodeRequestTime.
using PlainHandler = Response (*)(const Registry&, Store&, const Request&, const RequestInfo&);

/// One subresource: exactly one of `stream`, `plain` and `refusal` is set, or none when it is only listed.
struct Subresource {
  std::string_view resource;  ///< plural
  std::string_view name;      ///< below the object; "{}" stands for any one segment. Empty: there is no object
  std::string_view method;    ///< also the verb to authorize: GET is get, PUT is update
  bool listed = true;         ///< in discovery, which names what the real server names
  VmiCheck stream = nullptr;  ///< a websocket that is relayed to the node once this check has passed
  PlainHandler plain = nullptr;
  std::string_view refusal = {};  ///< 400: what the real server says when the feature is off
};

/// All of them, in the order of discovery.
std::span<const Subresource> all_subresources();

/// The subresource that a request is about, or virt-api's answer: 404 for an unknown path, 405 for another method.
tl::expected<const Subresource*, Response> find_subresource(const std::string& method, const RequestInfo& info);

/// The stream that the request is about; null for all other requests.
const Subresource* find_stream(const std::string& method, const RequestInfo& info);

/// Answers a request for the group that is no stream.
Response answer_subresource(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

/// "virtualmachineinstances/vnc", …: what discovery lists.
std::vector<std::string> listed_subresources();

}  // namespace usbloop::apiserver
