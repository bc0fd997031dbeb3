#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device-sim/emulation/device.h"
#include "device-sim/model/model_link.h"

namespace usbloop::device_sim {

/// A device that another program models, in any language: what the guest asks is asked there, line by line
/// (model_message.h). One question for each endpoint at a time. When the program ends, the device is gone().
class ModelDevice final : public Device {
 public:
  /// Errors: those of ModelLink::connect().
  static Result<std::unique_ptr<Device>> make(const std::string& socket);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return hello_.description; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return hello_.descriptors; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe pipe, std::span<std::byte> room) override;
  void set_wake(std::function<void()> wake) override;
  void cancelled(Pipe pipe) override;
  bool clear_halt(std::uint8_t endpoint) override;
  Result<> flush() override { return {}; }
  [[nodiscard]] bool gone() const override { return trouble().has_value(); }
  [[nodiscard]] std::optional<Error> trouble() const override;
  /// Connects again, to a program whose device is the same.
  void plug() override;

 private:
  /// What is asked of an endpoint.
  struct Question {
    std::optional<std::uint64_t> id;  ///< nothing: none is open
    std::vector<std::byte> rest;      ///< of an answer that was longer than the room for it
  };

  ModelDevice(std::string socket, std::unique_ptr<ModelLink> link);
  [[nodiscard]] Question& question(std::uint8_t endpoint);
  void forget_questions();

  const std::string socket_;
  const ModelHello hello_;
  std::function<void()> wake_;
  std::uint64_t last_id_ = 0;
  std::array<Question, 32> questions_;
  std::optional<std::uint64_t> control_;  ///< the open question to the control endpoint
  std::optional<Error> refusal_;          ///< why plug() failed
  std::unique_ptr<ModelLink> link_;
};

}  // namespace usbloop::device_sim
