#include "client/redirect_flags.h"

#include "client/duration.h"

namespace usbloop::client {

RedirectFlags::RedirectFlags(CLI::App& app, Options& options) : app_(app), options_(options) {
  app.add_flag("--wait", time_, "When all slots of the VMI are taken: wait for a free one; --wait=5m so long at most");
  app.add_option("--filter", filters_,
                 "Redirect only what usbredir's filter rules allow: CLASS,VENDOR,PRODUCT,VERSION,ALLOW|...; may be "
                 "repeated")
      ->type_name("RULES")
      ->allow_extra_args(false);
  app.add_flag("--force", options.force, "Redirect a keyboard too");
  app.add_flag("--no-status", no_status_, "No live status rows at a terminal");
}

Result<> RedirectFlags::finish() {
  options_.status = !no_status_;
  for (const auto& rules : filters_) {
    if (auto fine = options_.filter.add(rules); !fine) return fine;
  }
  if (app_.count("--wait") == 0) return {};
  if (time_ == "true") {  // CLI11's value of a flag without one
    options_.wait = std::chrono::milliseconds(0);
    return {};
  }
  const auto time = parse_duration(time_);
  if (!time || time->count() <= 0) {
    return make_error(ErrorKind::invalid, "use", "--wait", "\"" + time_ + "\" is not a time",
                      "Write --wait, or for example --wait=30s or --wait=5m.");
  }
  options_.wait = *time;
  return {};
}

}  // namespace usbloop::client
