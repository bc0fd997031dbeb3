#include "usbredir/capture/explain.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace usbloop::capture {
namespace {

using usbredir::TransferType;

struct Named {
  int number;
  const char* name;
};

template <std::size_t Size>
const char* name_in(const std::array<Named, Size>& table, int number) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Named& entry) { return entry.number == number; });
  return found == table.end() ? nullptr : found->name;
}

constexpr std::array<Named, 12> kStandardRequests = {{{0x00, "GET_STATUS"},
                                                      {0x01, "CLEAR_FEATURE"},
                                                      {0x03, "SET_FEATURE"},
                                                      {0x05, "SET_ADDRESS"},
                                                      {0x06, "GET_DESCRIPTOR"},
                                                      {0x07, "SET_DESCRIPTOR"},
                                                      {0x08, "GET_CONFIGURATION"},
                                                      {0x09, "SET_CONFIGURATION"},
                                                      {0x0a, "GET_INTERFACE"},
                                                      {0x0b, "SET_INTERFACE"},
                                                      {0x30, "SET_SEL"},
                                                      {0x31, "SET_ISOCH_DELAY"}}};

constexpr std::array<Named, 9> kDescriptors = {{{1, "device"},
                                                {2, "configuration"},
                                                {3, "string"},
                                                {6, "device qualifier"},
                                                {7, "other speed configuration"},
                                                {15, "binary object store"},
                                                {0x21, "HID"},
                                                {0x22, "HID report"},
                                                {0x29, "hub"}}};

constexpr std::array<Named, 19> kScsiCommands = {{{0x00, "TEST UNIT READY"},
                                                  {0x03, "REQUEST SENSE"},
                                                  {0x12, "INQUIRY"},
                                                  {0x1a, "MODE SENSE(6)"},
                                                  {0x1b, "START STOP UNIT"},
                                                  {0x1e, "PREVENT ALLOW MEDIUM REMOVAL"},
                                                  {0x23, "READ FORMAT CAPACITIES"},
                                                  {0x25, "READ CAPACITY(10)"},
                                                  {0x28, "READ(10)"},
                                                  {0x2a, "WRITE(10)"},
                                                  {0x2f, "VERIFY(10)"},
                                                  {0x35, "SYNCHRONIZE CACHE(10)"},
                                                  {0x42, "UNMAP"},
                                                  {0x4a, "GET EVENT STATUS NOTIFICATION"},
                                                  {0x5a, "MODE SENSE(10)"},
                                                  {0x88, "READ(16)"},
                                                  {0x8a, "WRITE(16)"},
                                                  {0x9e, "SERVICE ACTION IN(16)"},
                                                  {0xa0, "REPORT LUNS"}}};

constexpr std::array<Named, 8> kEnds = {{{urb_status::kCancelled, "cancelled"},
                                         {urb_status::kStall, "stall, the device refuses it"},
                                         {urb_status::kOverflow, "the device sent more than was asked for"},
                                         {urb_status::kProtocol, "error on the bus"},
                                         {urb_status::kShutdown, "the session has ended"},
                                         {urb_status::kTimeout, "the device did not answer in time"},
                                         {urb_status::kInvalid, "the request makes no sense to the device"},
                                         {urb_status::kNotYet, "not done"}}};

std::string hexadecimal(unsigned value) {
  std::array<char, 12> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", value);
  return text.data();
}

std::string count_of(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

unsigned byte_at(std::span<const std::byte> bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

unsigned big_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  unsigned value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

std::string standard_request(const Setup& setup) {
  const char* const name = name_in(kStandardRequests, setup[1]);
  if (name == nullptr) return "standard request " + hexadecimal(setup[1]);
  const std::string value = std::to_string(setup[2] | setup[3] << 8);
  switch (setup[1]) {
    case 0x01:
    case 0x03:
      return std::string(name) + " " + value + " of " +
             ((setup[0] & 0x1f) == 2 ? "endpoint " + hexadecimal(setup[4])
                                     : "interface or device " + std::to_string(setup[4]));
    case 0x06: {
      const char* const kind = name_in(kDescriptors, setup[3]);
      return std::string(name) + " " + (kind != nullptr ? kind : hexadecimal(setup[3])) + " " +
             std::to_string(setup[2]);
    }
    case 0x09: return std::string(name) + " " + value;
    case 0x0b: return std::string(name) + " " + std::to_string(setup[4]) + ", alternate setting " + value;
    default: return name;
  }
}

std::string request_text(const Setup& setup, std::uint32_t length) {
  constexpr std::array<const char*, 4> kKinds = {"standard", "class", "vendor", "reserved"};
  const unsigned kind = setup[0] >> 5U & 3U;
  std::string text = kind == 0 ? standard_request(setup)
                               : std::string(kKinds.at(kind)) + " request " + hexadecimal(setup[1]) + ", value " +
                                     hexadecimal(static_cast<unsigned>(setup[2] | setup[3] << 8)) + ", index " +
                                     hexadecimal(static_cast<unsigned>(setup[4] | setup[5] << 8));
  if (length > 0) text += ", " + count_of(length, "byte");
  return text;
}

/// Mass storage's command and status, by their signatures (Bulk-Only Transport, 5.1 and 5.2).
std::optional<std::string> mass_storage_text(const Urb& urb) {
  const std::span<const std::byte> data = urb.data;
  if (data.size() != urb.whole) return std::nullopt;
  constexpr std::size_t kCommand = 31, kStatus = 13, kBlock = 15;
  const auto begins = [&](std::string_view signature) { return std::memcmp(data.data(), signature.data(), 4) == 0; };
  if (data.size() == kStatus && begins("USBS")) {
    const unsigned status = byte_at(data, kStatus - 1);
    return std::string("SCSI status ") + (status == 0 ? "good" : status == 1 ? "failed" : "phase error");
  }
  if (data.size() != kCommand || !begins("USBC")) return std::nullopt;
  const unsigned operation = byte_at(data, kBlock);
  const char* const name = name_in(kScsiCommands, static_cast<int>(operation));
  std::string text = "SCSI " + (name != nullptr ? std::string(name) : "command " + hexadecimal(operation));
  if (operation == 0x28 || operation == 0x2a) {
    text += ", block " + std::to_string(big_endian(data, kBlock + 2, 4)) + ", " +
            count_of(big_endian(data, kBlock + 7, 2), "block");
  }
  return text;
}

std::string meaning_of(const Urb& urb) {
  if (urb.setup) return request_text(*urb.setup, urb.length);
  if (urb.event != Event::submit && urb.status != urb_status::kSuccess) {
    const char* const end = name_in(kEnds, urb.status);
    return end != nullptr ? end : "ended with " + std::to_string(urb.status);
  }
  if (urb.type == TransferType::bulk) {
    if (auto text = mass_storage_text(urb)) return *text;
  }
  const bool asks = urb.event == Event::submit && urb.is_in();
  std::string text = (asks ? "asks for " : "") + count_of(urb.length, "byte");
  if (!urb.packets.empty()) text += " in " + count_of(urb.packets.size(), "packet");
  return text;
}

}  // namespace

std::string explain(const Urb& urb) {
  constexpr std::array<const char*, 4> kTypes = {"control", "isochronous", "bulk", "interrupt"};
  constexpr std::uint64_t kOurs = 0x8000'0000'0000'0000U;  // translator.h
  return std::string(urb.event == Event::submit ? "guest: " : "device: ") +
         kTypes.at(static_cast<std::size_t>(urb.type)) + (urb.is_in() ? " IN " : " OUT ") + hexadecimal(urb.endpoint) +
         " #" + (urb.id >= kOurs ? "s" : "") + std::to_string(urb.id & ~kOurs) + ": " + meaning_of(urb);
}

}  // namespace usbloop::capture
