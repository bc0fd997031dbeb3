#include "device-sim/storage/stick.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "device-sim/storage/storage_descriptors.h"

namespace usbloop::device_sim {
namespace {

usbredir::DeviceDescription describe(const StorageOptions& options) {
  return {options.vendor_id,  options.product_id, options.speed,   "Kingston",
          "DataTraveler 3.0", options.serial,     "emulated stick"};
}

}  // namespace

Stick::Stick(std::unique_ptr<BlockStore> store, const StorageOptions& options)
    : store_(std::move(store)),
      description_(describe(options)),
      descriptors_(storage_descriptors(description_, write_bulk_only_interface)),
      disk_(*store_,
            {.vendor = description_.manufacturer,
             .product = description_.product,
             .revision = "PMAP",
             .serial = options.serial},
            &faults_),
      transport_(disk_, &faults_) {}

ControlReply Stick::request(const SetupPacket& setup, std::span<const std::byte>) { return transport_.request(setup); }

OutReply Stick::out(Pipe, std::span<const std::byte> data) { return out_reply(transport_.out(data), data.size()); }

InReply Stick::in(Pipe, std::span<std::byte> room) { return transport_.in(room); }

bool Stick::clear_halt(std::uint8_t) { return transport_.may_clear_halt(); }

std::string serial_for(const std::string& image_path) {
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(image_path, error);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : error ? image_path : canonical.string()) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  std::array<char, 25> text{};
  std::snprintf(text.data(), text.size(), "60A44C41%016llX", static_cast<unsigned long long>(hash));
  return text.data();
}

}  // namespace usbloop::device_sim
