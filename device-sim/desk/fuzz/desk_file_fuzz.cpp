#include <cstdlib>
#include <set>
#include <string>

#include "device-sim/desk/desk_file.h"
#include "device-sim/desk/fuzz/targets.h"

namespace usbloop::desk::fuzz {

// What is read has a name and a place of its own for each device; those that need no file are made.
void desk_file(std::span<const std::byte> input) {
  const std::string text(reinterpret_cast<const char*>(input.data()), input.size());
  const auto entries = parse_desk(text, "desk.yaml");
  if (!entries) return;
  std::set<std::string> names;
  std::set<std::string> places;
  for (const auto& entry : *entries) {
    names.insert(entry.name);
    places.insert(entry.place.bus_device());
    places.insert("port " + entry.place.port_path());
    if (entry.size == 0 && entry.spec.options.count("image") == 0) {
      static_cast<void>(make_desk_device(entry, "desk.yaml"));  // an error is as good
    }
  }
  if (names.size() != entries->size() || places.size() != 2 * entries->size()) std::abort();
}

}  // namespace usbloop::desk::fuzz
