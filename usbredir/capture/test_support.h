#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "usbredir/capture/translator.h"
#include "usbredir/host_end.h"
#include "usbredir/packet_handler.h"
#include "usbredir/parser.h"

// Helpers of the tests; no part of the library.
namespace usbloop::capture::test {

/// A usbredir session made by hand: both ends are parsers, and what passes between them is translated.
class HandMadeSession {
 public:
  struct Options {
    std::vector<int> capabilities{usbredir::kUsualCapabilities};
    std::size_t keep = SIZE_MAX;
    std::size_t cut = SIZE_MAX;  ///< the translator gets so many bytes at a time
  };
  explicit HandMadeSession(Translator::Sink sink) : HandMadeSession(std::move(sink), Options{}) {}
  HandMadeSession(Translator::Sink sink, Options options);

  /// What both sides have said reaches the other one.
  void exchange();

  /// Announces a device with that endpoint table (the endpoints of `configuration`, all alternate settings 0).
  void plug_in(usbredir::Speed speed, std::span<const std::byte> configuration);
  /// The endpoints of a setting that has been chosen.
  void announce_setting(std::span<const std::byte> configuration, std::uint8_t interface, std::uint8_t alternate);

  void control_in(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                  std::uint16_t length, std::span<const std::byte> answer, std::uint8_t status = 0);
  void control_out(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                   std::span<const std::byte> data);
  void set_configuration(std::uint8_t value);
  void set_alt_setting(std::uint8_t interface, std::uint8_t alternate);

  std::uint64_t next_id() { return ++id_; }

  usbredir::PacketHandler nobody;
  usbredir::Parser host;
  usbredir::Parser guest;
  Translator translator;

 private:
  const std::size_t cut_;
  std::uint64_t id_ = 0;
};

/// A keyboard: what Linux asks at an attach, the LEDs, and two keys.
void play_keyboard(HandMadeSession& session);

/// A camera: its probe and commit, and isochronous packets of three frames.
void play_camera(HandMadeSession& session);

std::vector<std::byte> bytes(std::initializer_list<int> values);

/// Checks that each transfer begins once, before it ends, and ends once; all of them.
void check_paired(const std::vector<Urb>& urbs);

}  // namespace usbloop::capture::test
