#include "client/traffic_meter.h"

#include <usbredirproto.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace usbloop::client {

namespace {

/// What of the capabilities decides the forms of packets; both ends have to offer it.
struct Offered {
  bool long_ids = false;
  bool long_bulk = false;
};

/// One direction of the stream, packet by packet. The hello has the short header; what follows has that which both
/// hellos agree on.
class StreamMeter {
 public:
  struct Packet {
    std::uint32_t type = 0;
    std::uint32_t data = 0;  ///< bytes behind its type's header
    std::uint8_t status = 0;
  };

  /// Calls `seen` for each packet of a transfer, as soon as its heads have come.
  template <typename Seen>
  void feed(std::span<const std::byte> bytes, const StreamMeter& other, const Seen& seen) {
    while (!bytes.empty()) {
      const std::size_t wanted = in_head() ? head_size(other) - have_ : left_;
      const auto piece = bytes.first(std::min(bytes.size(), wanted));
      bytes = bytes.subspan(piece.size());
      if (in_head()) {
        take_head(piece, other);
      } else {
        take_body(piece, other, seen);
      }
    }
  }

 private:
  static constexpr std::size_t kLongestTypeHeader = 10;

  [[nodiscard]] bool in_head() const { return left_ == 0; }
  [[nodiscard]] std::size_t head_size(const StreamMeter& other) const {
    return hello_seen_ && offered_.long_ids && other.offered_.long_ids ? 16 : 12;
  }

  void take_head(std::span<const std::byte> piece, const StreamMeter& other) {
    std::copy(piece.begin(), piece.end(), head_.begin() + static_cast<std::ptrdiff_t>(have_));
    have_ += piece.size();
    if (have_ < head_size(other)) return;
    have_ = 0;
    std::memcpy(&type_, head_.data(), sizeof type_);
    std::memcpy(&size_, head_.data() + sizeof type_, sizeof size_);
    left_ = size_;
    hello_seen_ = true;
  }

  template <typename Seen>
  void take_body(std::span<const std::byte> piece, const StreamMeter& other, const Seen& seen) {
    const std::size_t begin = size_ - left_;
    left_ -= static_cast<std::uint32_t>(piece.size());
    if (type_ == usb_redir_hello) read_hello(piece, begin);
    const auto form = form_of(other);
    if (!form || size_ < form->size) return;
    for (std::size_t at = begin; at < begin + piece.size() && at < form->size; ++at) {
      if (at == form->status_at) status_ = std::to_integer<std::uint8_t>(piece[at - begin]);
      if (at + 1 == form->size) seen(Packet{type_, size_ - form->size, status_});
    }
  }

  void read_hello(std::span<const std::byte> piece, std::size_t begin) {
    const auto has = [&](std::size_t capability) -> bool {
      const std::size_t at = sizeof(usb_redir_hello_header::version) + capability / 8;
      if (at < begin || at >= begin + piece.size()) return false;
      return (std::to_integer<unsigned>(piece[at - begin]) >> (capability % 8) & 1U) != 0;
    };
    offered_.long_ids = offered_.long_ids || has(usb_redir_cap_64bits_ids);
    offered_.long_bulk = offered_.long_bulk || has(usb_redir_cap_32bits_bulk_length);
  }

  struct Form {
    std::uint32_t size;
    std::uint32_t status_at;
  };
  /// Of the type's header; nothing for packets that are no transfer.
  [[nodiscard]] std::optional<Form> form_of(const StreamMeter& other) const {
    switch (type_) {
      case usb_redir_control_packet: return Form{10, 3};
      case usb_redir_bulk_packet: return Form{offered_.long_bulk && other.offered_.long_bulk ? 10U : 8U, 1};
      case usb_redir_iso_packet:
      case usb_redir_interrupt_packet: return Form{4, 1};
      case usb_redir_buffered_bulk_packet: return Form{kLongestTypeHeader, 9};
      default: return std::nullopt;
    }
  }

  std::array<std::byte, 16> head_{};
  std::size_t have_ = 0;
  std::uint32_t type_ = 0;
  std::uint32_t size_ = 0;  ///< of the body
  std::uint32_t left_ = 0;  ///< of the body
  std::uint8_t status_ = 0;
  bool hello_seen_ = false;
  Offered offered_;
};

bool is_error(std::uint8_t status) {
  return status != usb_redir_success && status != usb_redir_cancelled && status != usb_redir_stall;
}

class MeteredHost final : public usbredir::HostEnd {
 public:
  MeteredHost(std::unique_ptr<usbredir::HostEnd> host, Traffic& traffic) : host_(std::move(host)), traffic_(traffic) {}

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return host_->device(); }
  void set_wake(std::function<void()> wake) override { host_->set_wake(std::move(wake)); }
  void look() override { host_->look(); }
  [[nodiscard]] bool wants_input() const override { return host_->wants_input(); }
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override {
    auto taken = host_->receive(bytes);
    if (!taken) return taken;
    from_guest_.feed(bytes.first(*taken), to_guest_,
                     [this](const auto& packet) { traffic_.bytes_from_guest += packet.data; });
    return taken;
  }
  [[nodiscard]] std::span<const std::byte> pending() const override { return host_->pending(); }
  void consume(std::size_t count) override {
    to_guest_.feed(host_->pending().first(count), from_guest_, [this](const auto& packet) {
      ++traffic_.transfers;
      if (is_error(packet.status)) ++traffic_.errors;
      traffic_.bytes_to_guest += packet.data;
    });
    host_->consume(count);
  }
  [[nodiscard]] usbredir::HostState state() const override { return host_->state(); }
  [[nodiscard]] Result<> outcome() const override { return host_->outcome(); }
  void disconnect() override { host_->disconnect(); }

 private:
  const std::unique_ptr<usbredir::HostEnd> host_;
  Traffic& traffic_;
  StreamMeter to_guest_;
  StreamMeter from_guest_;
};

}  // namespace

std::unique_ptr<usbredir::HostEnd> metered(std::unique_ptr<usbredir::HostEnd> host, Traffic& traffic) {
  return std::make_unique<MeteredHost>(std::move(host), traffic);
}

}  // namespace usbloop::client
