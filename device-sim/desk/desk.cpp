#include "device-sim/desk/desk.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/shown_text.h"
#include "device-sim/desk/device_loan.h"
#include "device-sim/kinds.h"
#include "usbredir/descriptors.h"

namespace usbloop::desk {

struct Desk::Placed {
  DeskEntry entry;
  std::unique_ptr<device_sim::Device> device;
  Counters counters = {};
  bool plugged = false;
  std::uint64_t arrivals = 0;
  std::optional<Holder> holder = std::nullopt;
  device_sim::EmulatedHost* host = nullptr;  ///< of the holder
};

namespace {

std::uint8_t number_at(const std::vector<std::byte>& bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes.at(at));
}

/// The interfaces in their first settings.
std::vector<ClassTriple> interface_classes(const device_sim::DescriptorSet& descriptors) {
  std::vector<ClassTriple> classes;
  const auto configuration = usbredir::parse_configuration(descriptors.configuration);
  if (!configuration) return classes;  // a device that lies about itself
  for (const auto& setting : configuration->settings) {
    if (setting.alternate != 0) continue;
    classes.push_back({setting.interface_class, setting.interface_subclass, setting.interface_protocol});
  }
  return classes;
}

}  // namespace

Desk::Desk(std::string path, std::vector<std::unique_ptr<Placed>> devices)
    : path_(std::move(path)), devices_(std::move(devices)) {}

Desk::~Desk() = default;

Result<std::unique_ptr<Desk>> Desk::open(const std::string& path) {
  auto entries = read_desk(path);
  if (!entries) return tl::unexpected(entries.error());
  return make(path, std::move(*entries));
}

Result<std::unique_ptr<Desk>> Desk::make(const std::string& path, std::vector<DeskEntry> entries) {
  std::vector<std::unique_ptr<Placed>> devices;
  for (auto& entry : entries) {
    auto device = make_desk_device(entry, path);
    if (!device) return tl::unexpected(device.error());
    const bool plugged = entry.plugged;
    devices.push_back(std::make_unique<Placed>(
        Placed{.entry = std::move(entry), .device = std::move(*device), .plugged = plugged, .arrivals = plugged}));
  }
  return std::unique_ptr<Desk>(new Desk(path, std::move(devices)));
}

std::vector<DeviceInfo> Desk::list() const {
  std::vector<DeviceInfo> all;
  for (const auto& placed : devices_) {
    const auto& descriptors = placed->device->descriptors();
    DeviceInfo info;
    info.name = placed->entry.name;
    info.kind = placed->entry.spec.kind;
    info.place = placed->entry.place;
    info.description = placed->device->description();
    info.label = placed->entry.label;
    const auto& device = descriptors.device;
    info.version = static_cast<std::uint16_t>(number_at(device, 12) | number_at(device, 13) << 8);
    info.device_class = {number_at(device, 4), number_at(device, 5), number_at(device, 6)};
    info.interfaces = interface_classes(descriptors);
    info.plugged = placed->plugged;
    info.arrivals = placed->arrivals;
    info.holder = placed->holder;
    info.counters = placed->counters;
    all.push_back(std::move(info));
  }
  return all;
}

Desk::Placed* Desk::find(std::string_view name) const {
  const auto found =
      std::find_if(devices_.begin(), devices_.end(), [name](const auto& placed) { return placed->entry.name == name; });
  return found == devices_.end() ? nullptr : found->get();
}

Result<Desk::Placed*> Desk::find_or_error(const char* operation, std::string_view name) const {
  if (Placed* placed = find(name)) return placed;
  return make_error(ErrorKind::not_found, operation, "device " + one_line(name, 64), "the desk has none of that name",
                    "device-sim ctl list shows its devices.");
}

bool Desk::is_lent(std::string_view name) const {
  const Placed* placed = find(name);
  return placed != nullptr && placed->holder.has_value();
}

Result<> Desk::plug(std::string_view name) {
  const auto placed = find_or_error("plug in", name);
  if (!placed) return tl::unexpected(placed.error());
  if ((*placed)->plugged) {
    return make_error(ErrorKind::conflict, "plug in", "device " + (*placed)->entry.name, "it is plugged in already");
  }
  (*placed)->device->plug();
  (*placed)->plugged = true;
  ++(*placed)->arrivals;
  tell();
  return {};
}

Result<> Desk::unplug(std::string_view name) {
  const auto placed = find_or_error("unplug", name);
  if (!placed) return tl::unexpected(placed.error());
  if (!(*placed)->plugged) {
    return make_error(ErrorKind::conflict, "unplug", "device " + (*placed)->entry.name, "it is not plugged in");
  }
  (*placed)->plugged = false;
  if (auto* host = (*placed)->host) {
    host->lose_device();
    host->stir();
  }
  tell();
  return {};
}

Result<> Desk::act(std::string_view name, std::string_view verb, std::string_view what) {
  const auto placed = find_or_error("act on", name);
  if (!placed) return tl::unexpected(placed.error());
  auto done = (*placed)->device->act(verb, what);
  if (auto* host = (*placed)->host) host->stir();
  return done;
}

Result<DeskEntry> Desk::entry_with(std::string_view name, const std::string& image) const {
  const auto placed = find_or_error("attach a file to", name);
  if (!placed) return tl::unexpected(placed.error());
  DeskEntry entry = (*placed)->entry;
  const auto option = entry.spec.options.find("image");
  if (option == entry.spec.options.end()) {
    return make_error(ErrorKind::invalid, "attach a file to", "device " + entry.name, "it has no image");
  }
  option->second = image;
  // It stays the same device: a serial number may come from the image's name.
  entry.spec.options.emplace("serial", (*placed)->device->description().serial);
  return entry;
}

Result<> Desk::try_image(std::string_view name, const std::string& image) const {
  const auto entry = entry_with(name, image);
  if (!entry) return tl::unexpected(entry.error());
  const auto device = device_sim::make_device(entry->spec);
  if (!device) return tl::unexpected(device.error());
  return {};
}

Result<> Desk::attach(std::string_view name, const std::string& image) {
  auto entry = entry_with(name, image);
  if (!entry) return tl::unexpected(entry.error());
  Placed& placed = *find(name);
  if (placed.holder) {
    return make_error(ErrorKind::conflict, "attach a file to", "device " + entry->name,
                      placed.holder->text() + " has it");
  }
  auto device = device_sim::make_device(entry->spec);
  if (!device) return tl::unexpected(device.error());
  placed.device = std::move(*device);
  placed.entry = std::move(*entry);
  tell();
  return {};
}

Result<std::unique_ptr<Desk::Loan>> Desk::lend(std::string_view name, Holder holder) {
  const auto found = find_or_error("take", name);
  if (!found) return tl::unexpected(found.error());
  Placed& placed = **found;
  if (!placed.plugged) {
    return make_error(ErrorKind::not_found, "take", "device " + placed.entry.name, "it is not plugged in");
  }
  if (placed.holder) {
    return make_error(ErrorKind::conflict, "take", "device " + placed.entry.name, placed.holder->text() + " has it",
                      "End that redirection first.");
  }
  placed.device->reset();
  auto host = device_sim::EmulatedHost::make(std::make_unique<DeviceLoan>(*placed.device, placed.counters));
  if (!host) return tl::unexpected(host.error());
  spdlog::info("{} is taken by {}", placed.entry.name, holder.text());
  placed.holder = std::move(holder);
  placed.host = host->get();
  ++placed.counters.redirections;
  auto loan = std::make_unique<Loan>(*this, placed, std::move(*host));
  tell();
  return loan;
}

void Desk::tell() {
  for (auto* watch : watches_) (*watch)();
}

Desk::Loan::Loan(Desk& desk, Placed& placed, std::unique_ptr<device_sim::EmulatedHost> host)
    : desk_(desk), placed_(placed), host_(std::move(host)) {}

Desk::Loan::~Loan() {
  host_->disconnect();  // in a final state it does nothing
  host_.reset();
  placed_.host = nullptr;
  if (placed_.device->gone()) placed_.plugged = false;  // a fault has pulled it out
  spdlog::info("{} is free again", placed_.entry.name);
  placed_.holder.reset();
  desk_.tell();
}

Desk::Watch::Watch(Desk& desk, std::function<void()> changed) : desk_(desk), changed_(std::move(changed)) {
  desk_.watches_.push_back(&changed_);
}

Desk::Watch::~Watch() { desk_.watches_.remove(&changed_); }

}  // namespace usbloop::desk
