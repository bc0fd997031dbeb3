#pragma once

#include <string>
#include <tl/expected.hpp>

#include "apiserver-sim/store/store.h"
#include "common/kube/status.h"

namespace usbloop::apiserver {

/// The largest body of a refusal: websocket clients keep no more of it. wire.md section 11.
inline constexpr std::size_t kMaxRefusalBytes = 1024;

/// Where the node of a VMI takes its streams.
struct NodeChannel {
  std::string node;
  std::string socket_path;
};

/// virt-api's checks before it dials the node, in its order and with its words (wire.md section 12): the VMI exists,
/// its architecture has USB, it has clientPassthrough, it runs, and its node is there.
tl::expected<NodeChannel, kube::Status> check_usbredir(const Store& store, const std::string& namespace_,
                                                       const std::string& name);

/// The node could not be reached.
kube::Status dial_failure(const std::string& cause);
/// The node answered something else than 101; `text` is its body.
kube::Status handshake_refused(int code, const std::string& text);

/// virt-api's body of a refusal: indented, and no longer than kMaxRefusalBytes.
std::string refusal_body(kube::Status status);

}  // namespace usbloop::apiserver
