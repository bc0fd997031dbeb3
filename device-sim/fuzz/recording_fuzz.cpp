#include <algorithm>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "device-sim/fuzz/any_guest.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/replay/recording.h"
#include "device-sim/replay/replay_device.h"

namespace usbloop::device_sim::fuzz {
namespace {

/// What the guest did in a recording, in the order of its records.
struct Step {
  std::uint64_t record = 0;
  std::uint8_t endpoint = 0;
  const RecordedRequest* request = nullptr;    ///< or
  const RecordedTransfer* transfer = nullptr;  ///< one of them
};

std::vector<Step> steps_of(const Recording& recording) {
  std::vector<Step> steps;
  for (const auto& request : recording.requests) steps.push_back({request.record, 0, &request, nullptr});
  for (const auto& [endpoint, transfers] : recording.transfers) {
    for (const auto& transfer : transfers) steps.push_back({transfer.record, endpoint, nullptr, &transfer});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.record < b.record; });
  return steps;
}

}  // namespace

// A capture file. When it can be replayed, a guest does what was done in it.
void recording(std::span<const std::byte> input) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(input.data()), input.size()));
  const auto read = read_recording(in, std::nullopt, std::size_t{1} << 20);
  if (!read) return;
  auto device = ReplayDevice::make(*read, usbredir::Speed::high, "fuzz");
  if (!device) return;
  AnyGuest guest(std::move(*device));
  constexpr std::size_t kMostSteps = 500, kLongest = 60'000;
  std::size_t count = 0;
  for (const Step& step : steps_of(*read)) {
    if (++count > kMostSteps) break;
    if (step.request != nullptr) {
      guest.control(step.request->setup, step.request->data);
    } else if ((step.endpoint & 0x80) != 0) {
      guest.read(step.endpoint, static_cast<std::uint16_t>(std::min(step.transfer->data.size(), kLongest)));
    } else {
      guest.write(step.endpoint, std::span(step.transfer->data).first(std::min(step.transfer->data.size(), kLongest)));
    }
    guest.pass(std::chrono::seconds(1));
  }
  guest.end();
}

}  // namespace usbloop::device_sim::fuzz
