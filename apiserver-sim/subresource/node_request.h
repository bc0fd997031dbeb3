#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "apiserver-sim/subresource/vmi_checks.h"
#include "common/error.h"

namespace usbloop::apiserver {

/// A request to virt-handler that is no stream (wire.md section 13).
struct NodeRequest {
  std::string method;
  std::string path;
  std::string body;
};

struct NodeReply {
  int status = 0;
  std::string status_text;
  std::string body;
};

/// virt-api's own time for such requests.
inline constexpr std::chrono::seconds kNodeRequestTime{10};
/// Longer answers are an error: a node is trusted to answer truly, not briefly. What is asked to be done is answered
/// with nothing or with why not; a question with what the guest's agent says, at 200 bytes for each of its users or
/// file systems.
constexpr std::size_t max_reply_bytes(bool is_question) { return is_question ? 1024 * 1024 : 64 * 1024; }

/// Asks the node and reads the whole answer; a GET is a question. Blocks, at most for `timeout`; for any thread that
/// may. The error's cause is in the words of Go's client.
Result<NodeReply> ask_node(const NodeChannel& channel, const NodeRequest& request, std::chrono::milliseconds timeout);

}  // namespace usbloop::apiserver
