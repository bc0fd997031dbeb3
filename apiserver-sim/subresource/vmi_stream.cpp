#include "apiserver-sim/subresource/vmi_stream.h"

#include <span>
#include <utility>

#include "bridge/bridge.h"
#include "bridge/handoff.h"
#include "common/log.h"
#include "common/net/relay.h"

namespace usbloop::apiserver {

VmiStream::VmiStream(StreamShare share, std::string name, net::StreamPtr& client, std::string leftover,
                     StreamEnds& ends)
    : share_(share), name_(std::move(name)), client_(client), leftover_(std::move(leftover)), ends_(ends) {
  ++share_.active;
}

VmiStream::~VmiStream() {
  ends_ = {};
  --share_.active;
}

void VmiStream::use_node(net::StreamPtr node) {
  node_ = std::move(node);
  ends_.node = node_.get();
}

asio::awaitable<void> VmiStream::run() {
  if (client_lost_) co_return;
  if (device_) {
    co_await be_the_end();
  } else {
    co_await pass_through();
  }
}

asio::awaitable<void> VmiStream::pass_through() {
  const auto first = std::as_bytes(std::span(leftover_));
  const auto passed = co_await node_->write_all(first);
  if (!passed) co_return;
  const net::RelayOptions limits{.linger = share_.options.linger,
                                 .peer_timeout = share_.options.websocket.peer_timeout};
  const net::RelayCounts counts = co_await net::relay(*client_, *node_, limits, share_.traffic);
  const std::string why =
      counts.silence ? ": nothing heard from an end's host for " + std::to_string(counts.silence->count() / 1000) + " s"
                     : std::string();
  spdlog::info("{}: ended, {} bytes to the node, {} bytes from it{}", name_, counts.first_to_second,
               counts.second_to_first, why);
}

asio::awaitable<void> VmiStream::be_the_end() {
  const auto end_device = [this] {
    if (device_->socket().is_open()) bridge::end_device(device_->socket().native_handle());
    device_->close();
    node_->close();  // the lease, after the device: a slot that is free has no connection
  };
  auto options = share_.options.websocket;
  options.first_ping_sent = true;
  websocket::Channel channel(std::move(client_), websocket::Role::server, options, std::as_bytes(std::span(leftover_)));
  ends_.client = &channel;
  // The node has ended the session; what the device has already sent is still passed on.
  const bridge::LeaseWatch lease_watch(*node_, [this] {
    if (device_->socket().is_open()) bridge::end_device(device_->socket().native_handle());
  });
  bridge::StreamGuard guard;
  bridge::Ends both{channel, *device_, &guard, end_device, share_.traffic};
  co_await bridge::run(std::move(both));
  ends_.client = nullptr;
  const websocket::CloseInfo& close = channel.close_info();
  spdlog::info("{}: ended ({}{}{})", name_, close.code, close.reason.empty() ? "" : ": ", close.reason);
}

}  // namespace usbloop::apiserver
