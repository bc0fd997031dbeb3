#include "device-sim/desk/desk_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "common/bounded_yaml.h"
#include "common/fd.h"
#include "common/shown_text.h"
#include "common/small_file.h"
#include "device-sim/desk/desk_entry.h"
#include "device-sim/kinds.h"

namespace usbloop::desk {

namespace {

constexpr std::size_t kMostBytes = 256 * 1024;
const YamlBounds kDeskBounds{.what = "a desk file", .depth = 8, .nodes = 8192};
/// Of the kinds that have them: beside the desk file.
constexpr const char* kFileOptions[] = {"image", "dir", "file", "frames", "socket", "pty", "db"};
constexpr const char* kShape = "A desk file is: devices: [{kind: stick, bus: 1, address: 3, image: stick.img}, ...].";

tl::unexpected<Error> wrong_file(const std::string& path, std::string cause, std::string hint = kShape) {
  return make_error(ErrorKind::invalid, "use desk file", path, std::move(cause), std::move(hint));
}

tl::unexpected<Error> wrong_entry(const std::string& path, const DeskEntry& entry, const std::string& cause,
                                  std::string hint) {
  return wrong_file(path, "line " + std::to_string(entry.line) + ": device " + entry.name + ": " + cause,
                    std::move(hint));
}

std::string where(const DeskEntry& entry) { return "device " + entry.name + " of line " + std::to_string(entry.line); }

/// Whether one of two places on a bus would need a hub where the other has its device.
bool is_behind(const std::string& ports, const std::string& other) { return ports.starts_with(other + "."); }

/// What two devices may not share, in the order in which it is told.
Result<> check_pair(const std::string& path, const DeskEntry& entry, const DeskEntry& before) {
  if (entry.name == before.name) {
    return wrong_entry(path, entry, "the name is that of the " + where(before), "Give one of them a name: of its own.");
  }
  if (entry.place.bus != before.place.bus) return {};
  if (entry.place.address != 0 && entry.place.address == before.place.address) {
    return wrong_entry(path, entry, "the address " + entry.place.bus_device() + " is that of the " + where(before),
                       "Give one of them another address: or leave it out.");
  }
  if (entry.place.ports.empty() || before.place.ports.empty()) return {};
  if (entry.place.ports == before.place.ports) {
    return wrong_entry(path, entry, "the port " + entry.place.port_path() + " is that of the " + where(before),
                       "Give one of them another port: or leave it out.");
  }
  if (is_behind(entry.place.ports, before.place.ports) || is_behind(before.place.ports, entry.place.ports)) {
    return wrong_entry(path, entry,
                       "the port " + entry.place.port_path() + " and " + before.place.port_path() + " of the " +
                           where(before) + " are one way: where a device is there is no hub",
                       "Give one of them another port:.");
  }
  return {};
}

/// The lowest port of the bus that no device stands at or behind.
std::string free_port(const std::vector<DeskEntry>& all, std::uint8_t bus) {
  for (int port = 1;; ++port) {
    const std::string text = std::to_string(port);
    bool is_free = true;
    for (const auto& other : all) {
      if (other.place.bus != bus) continue;
      if (other.place.ports == text || is_behind(other.place.ports, text)) is_free = false;
    }
    if (is_free) return text;  // kMostDevices is below the ports that there are
  }
}

std::uint8_t free_address(const std::vector<DeskEntry>& all, std::uint8_t bus) {
  std::set<int> taken;
  for (const auto& other : all) {
    if (other.place.bus == bus) taken.insert(other.place.address);
  }
  int address = 2;  // 1 is the root hub's of every bus
  while (taken.count(address) > 0) ++address;
  return static_cast<std::uint8_t>(address);
}

Result<> settle(const std::string& path, std::vector<DeskEntry>& entries) {
  for (std::size_t index = 0; index < entries.size(); ++index) {
    for (std::size_t other = 0; other < index; ++other) {
      if (auto fine = check_pair(path, entries[index], entries[other]); !fine) return fine;
    }
  }
  for (auto& entry : entries) {
    if (entry.place.ports.empty()) entry.place.ports = free_port(entries, entry.place.bus);
    if (entry.place.address == 0) entry.place.address = free_address(entries, entry.place.bus);
  }
  return {};
}

Result<std::vector<DeskEntry>> read_root(const YAML::Node& root, const std::string& path) {
  if (!root.IsMap()) return wrong_file(path, std::string("it is ") + name_of_yaml(root.Type()) + " and no mapping");
  std::optional<YAML::Node> list;
  for (const auto& field : root) {
    const std::string key = field.first.IsScalar() ? field.first.Scalar() : "";
    const std::string line = "line " + std::to_string(field.first.Mark().line + 1) + ": ";
    if (key != "devices") return wrong_file(path, line + "there is no such key: " + one_line(key, 64));
    if (list) return wrong_file(path, line + "devices: is there twice", "Write one list.");
    list = field.second;
  }
  if (!list || !list->IsSequence()) return wrong_file(path, "it has no list devices:");
  if (list->size() > kMostDevices) {
    return wrong_file(path, "it has more than " + std::to_string(kMostDevices) + " devices", "Start a second desk.");
  }
  std::vector<DeskEntry> entries;
  for (const auto& node : *list) {
    auto entry = read_entry(node);
    if (!entry) return wrong_file(path, entry.error().cause, entry.error().hint);
    entries.push_back(std::move(*entry));
  }
  if (auto fine = settle(path, entries); !fine) return tl::unexpected(fine.error());
  return entries;
}

/// Makes a sparse image where there is none.
Result<> make_image(const std::string& image, std::uint64_t size) {
  const Fd file(::open(image.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    if (errno == EEXIST) return {};
    return make_errno_error("make", image);
  }
  if (::ftruncate(file.get(), static_cast<off_t>(size)) == 0) return {};
  const int number = errno;
  ::unlink(image.c_str());
  return make_errno_error("make", image, number);
}

}  // namespace

Result<std::vector<DeskEntry>> parse_desk(const std::string& text, const std::string& path) {
  try {
    if (text.size() > kMostBytes) {
      return wrong_file(path, "it is larger than " + std::to_string(kMostBytes) + " bytes");
    }
    auto entries = read_root(load_bounded_yaml(text, kDeskBounds), path);
    if (!entries) return entries;
    const auto folder = std::filesystem::path(path).parent_path();
    for (auto& entry : *entries) {
      for (const char* key : kFileOptions) {
        const auto file = entry.spec.options.find(key);
        if (file != entry.spec.options.end()) file->second = (folder / file->second).string();
      }
    }
    return entries;
  } catch (const YAML::Exception& exception) {
    return wrong_file(path, "not valid YAML: " + yaml_cause(exception));
  }
}

Result<std::vector<DeskEntry>> read_desk(const std::string& path) {
  const auto text = read_small_file(path, kMostBytes);
  if (!text) {
    return make_error(text.error().kind, "use desk file", path, text.error().cause,
                      "docs/devices.md describes desk files; deploy/examples/desk.yaml is one.");
  }
  return parse_desk(*text, path);
}

Result<std::unique_ptr<device_sim::Device>> make_desk_device(const DeskEntry& entry, const std::string& path) {
  const auto image = entry.spec.options.find("image");
  if (entry.size > 0) {
    if (image == entry.spec.options.end()) {
      return wrong_entry(path, entry, "size: is that of an image, and there is none", "Add image: or leave size: out.");
    }
    if (auto made = make_image(image->second, entry.size); !made) {
      return wrong_entry(path, entry, made.error().message(), "Write image: where you may make a file.");
    }
  }
  auto device = device_sim::make_device(entry.spec);
  if (device) return device;
  const Error& error = device.error();
  const bool is_file = error.operation != device_sim::kEmulateOperation;
  std::string hint = error.hint;
  if (is_file && error.kind == ErrorKind::not_found) hint = "Make it, or add size: 64M, and the desk makes it.";
  constexpr std::string_view kOfCommandLines = " Write a comma inside a value twice.";
  if (const auto at = hint.find(kOfCommandLines); at != std::string::npos) {
    hint.replace(at, kOfCommandLines.size(),
                 " Keys of every device: name, kind, bus, address, port, plugged, label, size.");
  }
  auto wrong = wrong_entry(path, entry, is_file ? error.message() : error.cause, std::move(hint));
  wrong.value().kind = error.kind;
  return wrong;
}

}  // namespace usbloop::desk
