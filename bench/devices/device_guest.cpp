#include "bench/devices/device_guest.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "bench/sockets.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using e2e::Failure;

constexpr auto kPatience = 30s;

usbredir::ParserOptions options_of_guest() {
  usbredir::ParserOptions options;
  options.side = usbredir::Side::usb_guest;
  options.capabilities = usbredir::kUsualCapabilities;
  options.capabilities.push_back(usb_redir_cap_bulk_streams);
  return options;
}

/// Whether there is something to do at `fd` before `until`.
bool wait_for(int fd, short events, Clock::time_point until) {
  pollfd entry{fd, events, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0;
}

usb_redir_bulk_packet_header bulk_header(std::uint8_t endpoint, std::size_t size, std::uint32_t stream) {
  return {endpoint, 0, static_cast<std::uint16_t>(size & 0xffff), stream, static_cast<std::uint16_t>(size >> 16)};
}

}  // namespace

DeviceGuest::DeviceGuest(const std::filesystem::path& directory, const std::string& spec)
    : parser_(options_of_guest(), *this) {
  static int number = 0;
  const std::string name = "device" + std::to_string(++number);
  const std::string path = (directory / (name + ".sock")).string();
  const Fd listener = listen_unix(path, 1);
  device_ = std::make_unique<e2e::Process>(
      e2e::ProcessSpec{.name = name,
                       .argv = {e2e::device_sim().string(), "--emulate", spec, "--to", "unix:" + path},
                       .log_dir = directory});
  if (!wait_for(listener.get(), POLLIN, Clock::now() + kPatience)) {
    throw Failure("the device " + spec + " does not come: " + device_->output());
  }
  socket_ = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket_) give_up("accept");
  while (!is_connected_) {
    if (!pump(Clock::now() + kPatience)) throw Failure("the device " + spec + " says nothing: " + device_->output());
  }
  parser_.send_reset();
  parser_.send(++id_, usb_redir_set_configuration_header{1});
  wait_ended("the configuration");
}

void DeviceGuest::ended(std::uint8_t status, const char* what) {
  if (status != usb_redir_success) throw Failure(std::string("the device refuses ") + what);
  ended_ = status;
}

void DeviceGuest::wait_ended(const char* what) {
  ended_.reset();
  while (!ended_) {
    if (!pump(Clock::now() + kPatience)) throw Failure(std::string("no answer about ") + what);
  }
}

void DeviceGuest::on_configuration_status(std::uint64_t, const usb_redir_configuration_status_header& header) {
  ended(header.status, "the configuration");
}
void DeviceGuest::on_alt_setting_status(std::uint64_t, const usb_redir_alt_setting_status_header& header) {
  ended(header.status, "the alternate setting");
}
void DeviceGuest::on_iso_stream_status(std::uint64_t, const usb_redir_iso_stream_status_header& header) {
  ended_ = header.status;
}
void DeviceGuest::on_interrupt_receiving_status(std::uint64_t,
                                                const usb_redir_interrupt_receiving_status_header& header) {
  ended(header.status, "to report");
}
void DeviceGuest::on_bulk_streams_status(std::uint64_t, const usb_redir_bulk_streams_status_header& header) {
  ended(header.status, "bulk streams");
}
void DeviceGuest::on_control(std::uint64_t, const usb_redir_control_packet_header& header, usbredir::Payload) {
  ended(header.status, "a request");
}

void DeviceGuest::on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) {
  if (header.status != usb_redir_success) throw Failure("a bulk transfer failed");
  const auto bytes = data.bytes();
  const std::uint32_t size = header.length | std::uint32_t{header.length_high} << 16;
  answers_.push_back(
      {id, size, bytes.size() > 1 ? bytes[1] : std::byte{0}, bytes.empty() ? std::byte{0} : bytes.back()});
}

void DeviceGuest::on_iso(std::uint64_t, const usb_redir_iso_packet_header&, usbredir::Payload data) {
  constexpr std::byte kEndOfPicture{2};
  const auto bytes = data.bytes();
  isochronous_bytes_ += bytes.size();
  if (bytes.size() > 1 && (bytes[1] & kEndOfPicture) != std::byte{0}) ++pictures_;
}

void DeviceGuest::select(std::uint8_t interface, std::uint8_t alternate) {
  parser_.send(++id_, usb_redir_set_alt_setting_header{interface, alternate});
  wait_ended("the alternate setting");
}

void DeviceGuest::give_streams(std::uint32_t mask, std::uint32_t count) {
  parser_.send(++id_, usb_redir_alloc_bulk_streams_header{mask, count});
  wait_ended("bulk streams");
}

void DeviceGuest::control_out(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                              std::span<const std::byte> data) {
  const auto length = static_cast<std::uint16_t>(data.size());
  parser_.send(++id_, usb_redir_control_packet_header{0, request, type, 0, value, index, length}, data);
  wait_ended("a request");
}

void DeviceGuest::listen() {
  for (std::size_t index = 17; index < 32; ++index) {
    if (endpoints_.type[index] != usb_redir_type_interrupt) continue;
    parser_.send(++id_, usb_redir_start_interrupt_receiving_header{static_cast<std::uint8_t>(0x80 | (index & 0x0f))});
    wait_ended("to report");
  }
}

bool DeviceGuest::start_isochronous(std::uint8_t endpoint) {
  parser_.send(++id_, usb_redir_start_iso_stream_header{endpoint, 32, 4});
  wait_ended("an isochronous stream");
  return *ended_ == usb_redir_success;
}

std::uint64_t DeviceGuest::in(std::uint8_t endpoint, std::uint32_t size, std::uint32_t stream) {
  parser_.send(++id_, bulk_header(endpoint, size, stream));
  return id_;
}

std::uint64_t DeviceGuest::out(std::uint8_t endpoint, std::span<const std::byte> data, std::uint32_t stream) {
  parser_.send(++id_, bulk_header(endpoint, data.size(), stream), data);
  return id_;
}

std::optional<DeviceGuest::Answer> DeviceGuest::next(Clock::time_point until) {
  write_pending();
  while (answers_.empty()) {
    if (!pump(until)) return std::nullopt;
  }
  const Answer answer = answers_.front();
  answers_.pop_front();
  return answer;
}

DeviceGuest::Answer DeviceGuest::next() {
  const auto answer = next(Clock::now() + kPatience);
  if (!answer) throw Failure("the device does not answer a transfer: " + device_->output());
  return *answer;
}

void DeviceGuest::write_pending() {
  while (!parser_.pending().empty()) {
    const auto bytes = parser_.pending();
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) {
      parser_.consume(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN || !wait_for(socket_.get(), POLLOUT, Clock::now() + kPatience)) {
      give_up("send to the device");
    }
  }
}

bool DeviceGuest::pump(Clock::time_point until) {
  write_pending();
  if (!wait_for(socket_.get(), POLLIN, until)) return false;
  static std::vector<std::byte> room(std::size_t{1} << 18);
  const ssize_t count = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (count <= 0) throw Failure("the device has gone: " + device_->output());
  const auto fed = parser_.feed(std::span(room).first(static_cast<std::size_t>(count)));
  if (!fed) throw Failure(fed.error().message());
  return true;
}

}  // namespace usbloop::bench
