#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "device-sim/emulation/device.h"
#include "device-sim/replay/recorded_exchanges.h"
#include "device-sim/replay/recording.h"

namespace usbloop::device_sim {

/// A recorded device: it answers as it did then, as long as the guest asks as it did then. Each endpoint has an order
/// of its own, and so have the class and vendor requests; what the device says comes when as much has been asked as in
/// the recording, and as much time has passed since. Descriptors may be read in any order and as often as the guest
/// likes, and a class or vendor request that reads may be repeated. The commands of Bulk-Only storage are found by
/// RecordedExchanges. Otherwise the device is gone(), and trouble() says which request was expected.
class ReplayDevice final : public Device {
 public:
  /// `speed` when the recording has none. An Error (kind invalid) when nobody says it.
  static Result<std::unique_ptr<Device>> make(Recording recording, std::optional<usbredir::Speed> speed,
                                              const std::string& name);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  std::size_t isochronous(std::uint8_t endpoint, std::span<std::byte> room) override;
  void advance(Time now) override { now_ = now; }
  [[nodiscard]] std::optional<Time> due() const override;
  void cancelled(Pipe pipe) override;
  bool clear_halt(std::uint8_t) override { return true; }
  Result<> flush() override { return {}; }
  std::optional<ControlReply> meddle(const SetupPacket& setup) override;
  [[nodiscard]] bool gone() const override { return trouble_.has_value(); }
  [[nodiscard]] std::optional<Error> trouble() const override { return trouble_; }

 private:
  ReplayDevice(Recording recording, usbredir::Speed speed, const std::string& name);
  [[nodiscard]] RecordedExchanges* exchanges_of(std::uint8_t endpoint);
  [[nodiscard]] const RecordedTransfer* next_of(std::uint8_t endpoint) const;
  bool begin_exchange(std::uint8_t endpoint, std::span<const std::byte> data);
  [[nodiscard]] std::string out_difference(std::uint8_t endpoint, std::span<const std::byte> data);
  [[nodiscard]] Time due_of(std::uint8_t endpoint, Time asked, const RecordedTransfer& transfer) const;
  const RecordedRequest* repeated(const SetupPacket& setup) const;
  bool is_due(std::uint8_t endpoint, const RecordedTransfer& transfer);
  void went_on(std::uint8_t endpoint);
  void count_act(std::optional<std::uint8_t> endpoint = std::nullopt);
  void stray(const std::string& where, const std::string& what);

  Recording recording_;
  std::vector<RecordedExchanges> exchanges_;  ///< of each pair of endpoints that does Bulk-Only
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  std::map<std::uint8_t, std::size_t> next_;  ///< transfer of an endpoint
  std::size_t next_request_ = 0;
  std::uint64_t acts_ = 0;
  Time now_{}, last_act_{};
  std::map<std::uint8_t, Time> answered_;  ///< the last time at an endpoint
  std::map<std::uint8_t, Time> asked_;     ///< since when the next transfer of an endpoint is asked for
  std::optional<Error> trouble_;
};

}  // namespace usbloop::device_sim
