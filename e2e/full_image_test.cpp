// An image that may not grow (RLIMIT_FSIZE, as on a full disk): the guest is told, and the program goes on and says it
// once.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "e2e/harness/client.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/slot_node.h"
#include "e2e/harness/usbredir_bytes.h"

using namespace usbloop::e2e;

namespace {

constexpr std::uintmax_t kMiB = 1 << 20;
constexpr int kWrites = 40;

void limit_files(pid_t pid, rlim_t bytes) {
  rlimit limit{};
  REQUIRE(::prlimit(pid, RLIMIT_FSIZE, nullptr, &limit) == 0);
  limit.rlim_cur = bytes;
  REQUIRE(::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) == 0);
}

std::string little_endian(std::uint32_t value) {
  std::string text;
  for (int i = 0; i < 4; ++i, value >>= 8U) text += static_cast<char>(value & 0xffU);
  return text;
}

/// Bulk-Only Transport, 5.1: a command block wrapper.
std::string command(std::uint32_t tag, std::uint32_t length, bool in, const std::string& block) {
  std::string wrapper = "USBC" + little_endian(tag) + little_endian(length);
  wrapper += static_cast<char>(in ? 0x80 : 0);
  wrapper += '\0';
  wrapper += static_cast<char>(block.size());
  return wrapper + block + std::string(16 - block.size(), '\0');
}

/// QEMU's place: sends bulk transfers and waits for their answers.
class Guest {
 public:
  explicit Guest(PlainSocket& socket) : socket_(socket) {
    socket_.send(qemu_hello());
    // struct usb_redir_set_configuration_header; a device that is not configured has no bulk endpoints.
    const std::string configured = answer(usbredir_packet(usbredir_set_configuration, ++id_, "\x01"));
    REQUIRE(configured == std::string("\0\x01", 2));  // status and configuration
  }

  void out(const std::string& data) { transfer(0x02, data.size(), data); }
  std::string in(std::size_t length) { return transfer(0x81, length, {}); }

  /// Writes a block at `block`; the status byte of its command status wrapper.
  int write(std::uint32_t block) {
    std::string ten("\x2a\0", 2);
    for (int shift = 24; shift >= 0; shift -= 8) ten += static_cast<char>(block >> shift & 0xffU);
    ten += std::string("\0\0\x01\0", 4);
    out(command(++tag_, 512, false, ten));
    out(std::string(512, 'w'));
    return status();
  }
  /// Key and code of the sense data.
  std::pair<int, int> sense() {
    out(command(++tag_, 18, true, std::string("\x03\0\0\0\x12\0", 6)));
    const std::string data = in(18);
    status();
    return {data.at(2), data.at(12)};
  }

 private:
  static constexpr std::size_t kHeader = 10;  // struct usb_redir_bulk_packet_header
  static constexpr char kStall = 4;           // usb_redir_stall

  int status() {
    const std::string wrapper = in(13);
    return wrapper.size() == 13 ? wrapper.at(12) : -1;
  }

  /// The data of the answer. A pipe that stalls is cleared at once; it does so when the command fails before its data
  /// are through (6.7.2).
  std::string transfer(std::uint8_t endpoint, std::size_t length, const std::string& data) {
    const std::string body = answer(bulk_request(endpoint, ++id_, length, data));
    REQUIRE(body.size() >= kHeader);
    const char outcome = body.at(1);
    if (outcome == kStall) {
      clear_halt(endpoint);
    } else {
      REQUIRE(outcome == 0);
    }
    return body.substr(kHeader);
  }

  void clear_halt(std::uint8_t endpoint) {
    // CLEAR_FEATURE(ENDPOINT_HALT): struct usb_redir_control_packet_header.
    answer(usbredir_packet(usbredir_control, ++id_,
                           std::string("\0\x01\x02\0\0\0", 6) + static_cast<char>(endpoint) + std::string(3, '\0')));
  }

  /// The body of the answer to the last request.
  std::string answer(const std::string& request) {
    REQUIRE(socket_.send(request));
    const Deadline deadline(20s);
    while (true) {
      for (const UsbredirPacket& packet : usbredir_packets(stream_)) {
        const bool is_answer = packet.type == usbredir_bulk || packet.type == usbredir_control ||
                               packet.type == usbredir_configuration_status;
        if (packet.id == id_ && is_answer) return packet.body;
      }
      REQUIRE(socket_.receive(stream_, deadline.left()));
    }
  }

  PlainSocket& socket_;
  std::string stream_;
  std::uint64_t id_ = 0;
  std::uint32_t tag_ = 0;
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("an image that may not grow is a write error to the guest, said once and counted, and ends no client") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  SlotNode node(loop, Way::handoff);
  const auto image = dir.path() / "stick.img";
  {
    const Process made({.name = "truncate", .argv = {"truncate", "-s", "1M", image}, .log_dir = dir.path()});
    REQUIRE(
        holds_within(10s, [&] { return std::filesystem::exists(image) && std::filesystem::file_size(image) == kMiB; }));
  }
  Process client = start_client(
      dir, "client", {"--kubeconfig", loop.kubeconfig(), "--emulate", "stick,image=" + image.string(), "demo"});
  const auto qemu = node.accept(0);
  Guest guest(*qemu);
  client.wait_err("Redirecting", 20s);
  CHECK(guest.write(1000) == 0);

  limit_files(client.pid(), kMiB / 4);  // more than its log, less than where the guest writes
  for (int i = 0; i < kWrites; ++i) {
    CHECK(guest.write(1000) == 1);
    CHECK(guest.sense() == std::pair(3, 0x0c));  // MEDIUM ERROR, WRITE ERROR
  }
  CHECK(guest.write(1) == 0);
  CHECK(client.running());
  CHECK(count_of(client.err(), "File too large") == 1);

  client.signal(SIGINT);
  CHECK(client.wait_exit(10s).code == 0);
  CHECK_MESSAGE(count_of(client.err(), "File too large (" + std::to_string(kWrites - 1) + " more times)") == 1,
                client.err());
}
