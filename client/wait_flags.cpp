#include "client/wait_flags.h"

#include "client/duration.h"

namespace usbloop::client {

WaitFlags::WaitFlags(CLI::App& app, Options& options) : app_(app), options_(options) {
  app.add_flag("--wait", time_, "When all slots of the VMI are taken: wait for a free one; --wait=5m so long at most");
  app.add_flag("--no-status{false}", options.status, "No live status rows at a terminal");
}

Result<> WaitFlags::finish() {
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
