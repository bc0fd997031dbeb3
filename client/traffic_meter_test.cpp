#include "client/traffic_meter.h"

#include <doctest/doctest.h>
#include <usbredirproto.h>

#include <algorithm>

#include "client/scripted_host.h"
#include "usbredir/test_support.h"

using namespace usbloop;
using namespace usbloop::client;
using client::testing::ScriptedHost;
using usbredir::test::raw_hello;
using usbredir::test::raw_packet;
using Bytes = std::vector<std::byte>;

namespace {

constexpr std::uint32_t kAll = (1U << usb_redir_cap_64bits_ids) | (1U << usb_redir_cap_32bits_bulk_length);

/// A transfer: its type's header, with the status where `status_at` says, then data.
Bytes transfer(std::uint32_t type, std::size_t header, std::size_t status_at, int status, std::size_t data,
               bool long_id) {
  Bytes body(header + data);
  body[status_at] = static_cast<std::byte>(status);
  return raw_packet(type, static_cast<std::uint32_t>(body.size()), body, long_id);
}

struct Metered {
  explicit Metered(std::size_t piece) : piece_(piece) {}

  void from_guest(const Bytes& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += piece_) {
      REQUIRE(host->receive(std::span(bytes).subspan(at, std::min(piece_, bytes.size() - at))));
    }
  }
  void to_guest(Bytes bytes) {
    inner->output.push_back(std::move(bytes));
    while (!host->pending().empty()) host->consume(std::min(piece_, host->pending().size()));
  }

  Traffic traffic;
  ScriptedHost* inner = new ScriptedHost;
  std::unique_ptr<usbredir::HostEnd> host = metered(std::unique_ptr<usbredir::HostEnd>(inner), traffic);

 private:
  const std::size_t piece_;
};

}  // namespace

TEST_CASE("transfers, failed ones and their data are counted in both forms of the stream, however it is cut") {
  for (const bool is_new : {true, false}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
      CAPTURE(is_new);
      CAPTURE(piece);
      Metered it(piece);
      const std::size_t bulk = is_new ? 10 : 8;
      it.to_guest(raw_hello(kAll));
      it.from_guest(raw_hello(is_new ? kAll : 0));
      it.to_guest(raw_packet(usb_redir_device_connect, 10, Bytes(10), is_new));
      it.from_guest(raw_packet(usb_redir_reset, 0, {}, is_new));
      it.from_guest(transfer(usb_redir_bulk_packet, bulk, 1, 0, 31, is_new));  // a command
      it.to_guest(transfer(usb_redir_bulk_packet, bulk, 1, 0, 0, is_new));     // taken
      it.from_guest(transfer(usb_redir_bulk_packet, bulk, 1, 0, 0, is_new));   // data asked for
      it.to_guest(transfer(usb_redir_bulk_packet, bulk, 1, 0, 4096, is_new));  // data
      it.to_guest(transfer(usb_redir_control_packet, 10, 3, usb_redir_stall, 0, is_new));
      it.to_guest(transfer(usb_redir_control_packet, 10, 3, usb_redir_timeout, 0, is_new));
      it.to_guest(transfer(usb_redir_interrupt_packet, 4, 1, usb_redir_cancelled, 8, is_new));
      it.to_guest(transfer(usb_redir_iso_packet, 4, 1, usb_redir_babble, 192, is_new));
      it.to_guest(transfer(usb_redir_buffered_bulk_packet, 10, 9, usb_redir_ioerror, 64, is_new));
      CHECK(it.traffic.transfers == 7);
      CHECK(it.traffic.errors == 3);
      CHECK(it.traffic.bytes_to_guest == 4096 + 8 + 192 + 64);
      CHECK(it.traffic.bytes_from_guest == 31);
    }
  }
}

TEST_CASE("a stream that is no usbredir passes through a meter unchanged") {
  Metered it(5);
  Bytes noise(10'000);
  for (std::size_t index = 0; index < noise.size(); ++index) noise[index] = static_cast<std::byte>(index * 31 % 251);
  it.from_guest(noise);
  it.to_guest(noise);
  CHECK(it.inner->received == noise);
  CHECK(it.inner->consumed == noise.size());
}

TEST_CASE("a look goes through a meter to the device's end, whose time it may be") {
  Metered it(5);
  it.host->look();
  CHECK(it.inner->looks == 1);
}
