#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "e2e/harness/loop.h"
#include "e2e/harness/raw_websocket.h"

namespace usbloop::e2e {

/// Registers a Node, Ready, whose channel is the unix socket, with its virt-handler pod.
void register_node(Loop& loop, const std::string& node, const std::filesystem::path& channel);
/// Creates a VMI with clientPassthrough, on that node, Running.
void add_running_vmi(Loop& loop, const std::string& node, const std::string& name);
/// A unix socket that listens at `path`, which must fit a socket's address.
Fd listen_unix(const std::filesystem::path& path);
/// The next connection to such a socket. Throws Failure, with `what` as its name, when none comes in time.
std::unique_ptr<PlainSocket> accept_one(const Fd& listener, milliseconds timeout, const std::string& what);

/// A node that the harness plays: it registers a Node whose channel it serves itself, and makes a VMI that seems to run
/// there. So a case decides what the far end of a client's session says, without a guest.
class FakeNode {
 public:
  FakeNode(Loop& loop, std::string name = "node-fake");
  ~FakeNode();
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  /// Creates a VMI with clientPassthrough, on this node, Running.
  void add_running_vmi(const std::string& name);

  /// Takes the next connection on the channel and reads its request head.
  struct Request {
    std::unique_ptr<PlainSocket> socket;
    std::string head;
    [[nodiscard]] std::string header(const std::string& name) const;
  };
  Request accept(milliseconds timeout = 20s);
  /// Takes the next connection and opens the websocket as a good node does.
  RawWebsocket accept_websocket(milliseconds timeout = 20s);

 private:
  Loop* loop_;
  std::string name_;
  std::filesystem::path socket_path_;
  Fd listener_;
};

/// The 101 answer of a good node for a request.
std::string switching_protocols(const FakeNode::Request& request);

}  // namespace usbloop::e2e
