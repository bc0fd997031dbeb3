#pragma once

#include <cstddef>
#include <cstdint>

namespace usbloop::usbredir {

/// How a transfer ended; the values of usbredir's status field.
enum class TransferStatus : std::uint8_t { success, cancelled, invalid, io_error, stall, timeout, babble };

/// What an IN endpoint has to say to a request for data.
struct InReply {
  enum class Kind {
    data,     ///< `size` bytes were put into the room; fewer than the room is a short packet and ends the transfer
    not_yet,  ///< nothing to send now; the request waits
    stall,    ///< the endpoint halts
    failed    ///< the transfer ends with `status`, and the endpoint goes on
  };
  Kind kind = Kind::not_yet;
  std::size_t size = 0;
  TransferStatus status = TransferStatus::success;

  static InReply data(std::size_t size) { return {Kind::data, size, TransferStatus::success}; }
  static InReply not_yet() { return {}; }
  static InReply stall() { return {Kind::stall, 0, TransferStatus::stall}; }
  static InReply failed(TransferStatus status) { return {Kind::failed, 0, status}; }
};

/// What an OUT endpoint makes of data.
struct OutReply {
  bool done = false;  ///< false: not yet; the data waits at the host's side, as if it had not been sent
  TransferStatus status = TransferStatus::success;
  std::size_t size = 0;  ///< bytes that were taken, when it succeeded

  static OutReply taken(std::size_t size) { return {true, TransferStatus::success, size}; }
  static OutReply not_yet() { return {}; }
  static OutReply failed(TransferStatus status) { return {true, status, 0}; }
};

}  // namespace usbloop::usbredir
