#include "device-sim/smart_card/smart_card_spec.h"

#include <string>
#include <string_view>
#include <utility>

#include "device-sim/emulation/spec_options.h"
#include "device-sim/smart_card/emulated_card.h"
#include "device-sim/smart_card/smart_card_reader.h"

namespace usbloop::device_sim {
namespace {

/// What stands between colons.
std::vector<std::string> read_certificate_names(std::string_view text) {
  std::vector<std::string> names;
  while (true) {
    const auto colon = text.find(':');
    names.emplace_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return names;
    text.remove_prefix(colon + 1);
  }
}

}  // namespace

Result<std::unique_ptr<Device>> make_smart_card(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  SmartCardReaderOptions options;
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read)
    return tl::unexpected(read.error());
  if (auto read = read_serial_number(spec, options.serial); !read) return tl::unexpected(read.error());
  const std::string* const database = option_of(spec, "db");
  const std::string* const names = option_of(spec, "certs");
  if (database == nullptr || database->empty() || names == nullptr) {
    return refuse_option(spec, "it needs a database of certificates and their names",
                         "smart-card,db=DIRECTORY,certs=NAME:NAME; certutil makes both (docs/devices.md).");
  }
  auto card = EmulatedCard::insert({*database, read_certificate_names(*names)});
  if (!card) return tl::unexpected(card.error());
  return std::make_unique<SmartCardReader>(options, std::move(*card));
}

}  // namespace usbloop::device_sim
