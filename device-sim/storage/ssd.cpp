#include "device-sim/storage/ssd.h"

#include <utility>

#include "device-sim/storage/storage_descriptors.h"
#include "uas/pipes.h"

namespace usbloop::device_sim {
namespace {

usbredir::DeviceDescription describe_ssd(const StorageOptions& options) {
  return {options.vendor_id, options.product_id, options.speed, "SanDisk",
          "Extreme 55AE",    options.serial,     "emulated SSD"};
}

void write_interfaces(usbredir::DescriptorWriter& writer, usbredir::Speed speed) {
  write_bulk_only_interface(writer, speed);
  uas::write_interface(writer, 1, speed);
}

}  // namespace

Ssd::Ssd(std::unique_ptr<BlockStore> store, const StorageOptions& options)
    : store_(std::move(store)),
      description_(describe_ssd(options)),
      descriptors_(storage_descriptors(description_, write_interfaces)),
      disk_(*store_,
            {.vendor = description_.manufacturer,
             .product = description_.product,
             .revision = "30A8",
             .serial = options.serial,
             .is_ssd = true},
            &faults_),
      unit_(disk_),
      bulk_only_(disk_, &faults_),
      attached_(unit_) {}

ControlReply Ssd::request(const SetupPacket& setup, std::span<const std::byte>) {
  return is_attached_ ? ControlReply{} : bulk_only_.request(setup);
}

void Ssd::select(std::uint8_t, std::uint8_t alternate) {
  is_attached_ = alternate == 1;
  bulk_only_.reset();
  attached_.reset();
}

void Ssd::set_streams(std::uint8_t endpoint, std::uint32_t count) {
  if (endpoint == uas::kStatusEndpoint) attached_.restart(count);
}

OutReply Ssd::out(Pipe pipe, std::span<const std::byte> data) {
  if (is_attached_) return uas::serve_out(attached_, pipe.endpoint, pipe.stream, data);
  return out_reply(bulk_only_.out(data), data.size());
}

InReply Ssd::in(Pipe pipe, std::span<std::byte> room) {
  if (!is_attached_) return bulk_only_.in(room);
  const InReply reply = uas::serve_in(attached_, pipe.endpoint, pipe.stream, room);
  if (pipe.endpoint == uas::kStatusEndpoint) faults_.on_status_unit(room.first(reply.size));
  return reply;
}

bool Ssd::clear_halt(std::uint8_t) { return is_attached_ || bulk_only_.may_clear_halt(); }

}  // namespace usbloop::device_sim
