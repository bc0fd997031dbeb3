#include "client/positionals.h"

#include "client/object_names.h"
#include "client/program_flags.h"

namespace usbloop::client {

namespace {

constexpr const char* kArguments = "the arguments";

Result<> select(const std::string& device, Options& options) {
  const auto selector = parse_selector(device);
  if (!selector) return tl::unexpected(selector.error());
  options.selectors.push_back(*selector);
  return {};
}

/// Also what was to be one: a VMI's name has neither a colon nor an equals sign.
bool is_selector(const std::string& text) {
  return parse_selector(text) || text.find_first_of(":=") != std::string::npos;
}

Result<> assign_give_back(const std::vector<std::string>& positionals, Options& options) {
  if (positionals.size() == 1 && options.emulate.empty()) return select(positionals.front(), options);
  return make_error(ErrorKind::invalid, "use", kArguments, "--give-back takes a device and nothing else");
}

}  // namespace

Result<> assign_positionals(const std::vector<std::string>& positionals, Options& options) {
  const bool says_list = options.emulate.empty() && positionals.size() == 1 && positionals.front() == "list";
  if (options.list || says_list) {
    options.list = true;
    if ((positionals.empty() || says_list) && options.emulate.empty()) return {};
    return make_error(ErrorKind::invalid, "use", kArguments, "list stands alone");
  }
  if (options.give_back) return assign_give_back(positionals, options);
  const bool needs_device = options.emulate.empty() && !options.listen;
  if (positionals.empty()) {
    return make_error(ErrorKind::invalid, "use", kArguments,
                      needs_device ? "the device and the VMI are missing" : "the VMI is missing");
  }
  if (options.listen && positionals.size() > 1) {
    return make_error(ErrorKind::invalid, "use", kArguments, "there are too many",
                      "With --no-launch only the VMI is named.");
  }
  options.pick = needs_device && positionals.size() == 1 && options.launch.empty() && !options.doctor;
  if (needs_device && positionals.size() == 1 && (!options.pick || is_selector(positionals.front()))) {
    return make_error(ErrorKind::invalid, "use", kArguments, "the VMI is missing after the device");
  }
  if (positionals.size() - 1 + options.emulate.size() > kMostDevices) {
    return make_error(ErrorKind::invalid, "use", kArguments,
                      "there are more than " + std::to_string(kMostDevices) + " devices",
                      "A VMI takes four devices at a time.");
  }
  for (std::size_t index = 0; index + 1 < positionals.size(); ++index) {
    if (auto fine = select(positionals[index], options); !fine) return fine;
  }
  if (auto fine = check_launched_device(options); !fine) return fine;
  if (options.doctor && options.selectors.size() + options.emulate.size() > 1) {
    return make_error(ErrorKind::invalid, "use", kArguments, "doctor looks at one device");
  }
  auto name = vmi_name_of(positionals.back());
  if (!name) return tl::unexpected(name.error());
  options.vmi = std::move(*name);
  return check_vmi_name(options.vmi);
}

}  // namespace usbloop::client
