#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "common/error.h"

namespace usbloop::usbredir {

/// Bus speed of a device, as usbredir's device_connect packet carries it.
enum class Speed { low, full, high, super };

/// "full" and so on; in Mbit/s as Linux' sysfs gives it: 1.5, 12, 480, 5000.
std::string to_string(Speed speed);
std::string megabits(Speed speed);

/// What a person is told about the device at hand. Strings are empty when the device has none or they cannot be read;
/// they come from the device, so they are not to be trusted as terminal output (see printable()).
struct DeviceDescription {
  std::uint16_t vendor_id = 0;
  std::uint16_t product_id = 0;
  Speed speed = Speed::high;
  std::string manufacturer;
  std::string product;
  std::string serial;
  std::string kind;  ///< "emulated stick", "device 1-4"

  /// `0951:1666`, four lower-case hex digits each.
  [[nodiscard]] std::string id() const;
  /// `0951:1666 "Kingston DataTraveler 3.0" (emulated stick)`, printable.
  [[nodiscard]] std::string label() const;
};

/// `text` without what could steer a terminal (common/shown_text.h), cut at 126 characters (the longest a USB string
/// descriptor holds).
std::string printable(const std::string& text);

/// How far a redirection has come. The states from `rejected` on are final.
enum class HostState {
  waiting,       ///< the guest side has not sent its hello yet: the slot is not (or not yet) served
  announced,     ///< hello seen, device_connect handed to pending()
  in_use,        ///< the guest has begun to talk to the device (a reset or a request has come)
  rejected,      ///< the guest side sent filter_reject: its filter, or a capability that is missing, refuses the device
  device_gone,   ///< the device was unplugged or is broken; device_disconnect is in pending()
  disconnected,  ///< disconnect() was called; device_disconnect is in pending()
  failed         ///< the guest side broke the protocol
};

inline bool is_final(HostState state) { return state >= HostState::rejected; }

/// The usb-host end of one usbredir stream: it has the device. Bytes from the guest go in, bytes to the guest come out;
/// it does no I/O on the stream itself, so whoever holds it carries the bytes (a TCP or unix socket, a websocket).
///
///     while (!is_final(end.state())) {
///       write some of end.pending() to the peer, then end.consume(what was written)
///       if (end.wants_input()) read from the peer, end.receive(...) until all is taken
///       else only write
///     }
///     write the rest of end.pending(), close, end.outcome()
///
/// Thread rule: all functions belong to one thread, the one that carries the bytes. Only the wake callback may be
/// called from another thread. receive() may take as long as one access to the device's backing store (a disk read, an
/// fsync).
class HostEnd {
 public:
  virtual ~HostEnd() = default;
  HostEnd() = default;
  HostEnd(const HostEnd&) = delete;
  HostEnd& operator=(const HostEnd&) = delete;

  /// What is redirected. Valid as long as this object lives.
  [[nodiscard]] virtual const DeviceDescription& device() const = 0;

  /// `wake` is called when pending() has got new bytes, wants_input() has become true again or state() has changed
  /// outside of receive(), consume() and disconnect(), or may have after a look(). From any thread, possibly while it
  /// holds locks: `wake` must only schedule a look (asio::post), never call this object. Set once, before the first
  /// receive(). Not called any more when the destructor has returned.
  virtual void set_wake(std::function<void()> wake) = 0;

  /// To be called by the holder after a wake, on its own thread, before it looks at anything else.
  virtual void look() {}

  /// False while so much output waits that no input is taken. The holder then stops reading from the peer.
  [[nodiscard]] virtual bool wants_input() const = 0;

  /// Takes bytes of the guest, cut anywhere. Returns how many were taken: fewer than given when the output went over
  /// its high-water mark in between; offer the rest again when wants_input() is true. After the end (is_final) all
  /// bytes are taken and dropped. An Error (kind protocol) means that the state is now `failed`.
  [[nodiscard]] virtual Result<std::size_t> receive(std::span<const std::byte> bytes) = 0;

  /// The next bytes for the guest, in order; empty when there are none. Not necessarily all that wait: ask again after
  /// consume(). Valid until the next call of any non-const function.
  [[nodiscard]] virtual std::span<const std::byte> pending() const = 0;
  /// Drops the first `count` bytes of pending(); count <= pending().size().
  virtual void consume(std::size_t count) = 0;

  [[nodiscard]] virtual HostState state() const = 0;

  /// Why it ended: success for `disconnected`, else an Error for people. Only meaningful in a final state.
  [[nodiscard]] virtual Result<> outcome() const = 0;

  /// Takes the device away from the guest in an orderly way: cancels its transfers and queues device_disconnect. The
  /// holder then writes out pending() (bounded by a time of its choice) and closes. Data written by the guest are safe
  /// on the backing store when this returns. Idempotent; no effect in a final state.
  virtual void disconnect() = 0;
};

}  // namespace usbloop::usbredir
