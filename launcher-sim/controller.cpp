#include "launcher-sim/controller.h"

#include <fcntl.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/log.h"
#include "launcher-sim/pod_status.h"
#include "launcher-sim/shutdown.h"
#include "launcher-sim/vmi_status.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using Action = Decision::Action;
using State = GuestView::State;

constexpr int kWorkers = 4;
/// Everything is looked at again this often, whatever was heard.
constexpr auto kResync = 10s;
constexpr std::chrono::milliseconds kLongestRetry{5'000};
constexpr auto kTemplateLook = 50ms;

}  // namespace

Controller::Controller(const kube::RestClient& client, const RunDir& run_dir, GuestRegistry& registry,
                       ControllerOptions options, ControllerHooks hooks)
    : client_(client),
      run_dir_(run_dir),
      registry_(registry),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      vmis_(client, options_.node_name),
      pods_(client, options_.node_name, options_.address),
      guests_(options_.max_vmis) {
  vmis_.on_change([this](const std::string& uid) { queue_.add(uid); });
  pods_.on_change([this](const std::string& key) { queue_.add(key); });
}

Controller::~Controller() { stop(); }

void Controller::adopt_guests() {
  for (const auto& uid : run_dir_.guests()) {
    auto guest = Guest::adopt(run_dir_.guest_directory(uid));
    if (!guest) {
      spdlog::info("leaving the folder {} out: {}", uid, guest.error().message());
      continue;
    }
    const GuestView view = (*guest)->observe();
    const bool ended = view.state == State::ended;
    spdlog::info("took over the guest of VMI {} ({})", (*guest)->spec().full_name(),
                 ended ? "it has ended" : "process " + std::to_string((*guest)->pid()));
    publish(**guest, view);
    if (!ended) guests_.count_in(uid);
    add_guest(std::move(*guest));
    queue_.add(uid);
  }
}

void Controller::start() {
  queue_.add(NodePods::kHandlerKey);
  threads_.emplace_back([this](const std::stop_token& stop) { vmis_.run(stop); });
  threads_.emplace_back([this](const std::stop_token& stop) { pods_.run(stop); });
  for (int i = 0; i < kWorkers; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

void Controller::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  actions_.close();
}

void Controller::perform(const std::string& uid, GuestAction action, ActionDone done) {
  actions_.add(uid, action, std::move(done));
  queue_.add(uid);
}

void Controller::perform_waiting(const std::string& uid, const std::stop_token& stop) {
  for (const auto& one : actions_.take(uid)) {
    Guest* guest = guests_.find(uid);
    const Result<> done = guest == nullptr ? make_error(ErrorKind::not_found, "find", "the guest", "it is gone")
                                           : guest->perform(one.action);
    one.done(done);
    if (!done) {
      spdlog::warn("{} of VMI {}: {}", command_name(one.action), uid, done.error().message());
      continue;
    }
    spdlog::info("{} of VMI {}", command_name(one.action), guest->spec().full_name());
    const auto vmi = vmis_.get(uid);
    if (one.action != GuestAction::softreboot || vmi == nullptr) continue;
    vmis_.send_event(*vmi, "Normal", "SoftRebooted", "VirtualMachineInstance soft rebooted", stop);
  }
}

void Controller::work(const std::stop_token& stop) {
  while (const auto uid = queue_.take(stop)) {
    try {
      perform_waiting(*uid, stop);
      const auto done = reconcile(*uid, stop);
      if (done) {
        const std::lock_guard lock(mutex_);
        failures_.erase(*uid);
      } else if (!stop.stop_requested()) {
        retry_later(*uid, done.error());
      }
    } catch (const std::exception& exception) {
      retry_later(*uid, {ErrorKind::internal, "reconcile", *uid, exception.what()});
    }
    queue_.done(*uid);
  }
}

void Controller::retry_later(const std::string& uid, const Error& error) {
  unsigned count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = ++failures_[uid];
  }
  // A conflict means that the object has changed and will come again. The informer reports an API server that is away.
  // Of all other errors the first is logged.
  const bool expected = error.kind == ErrorKind::conflict || error.kind == ErrorKind::unavailable;
  spdlog::log(expected || count > 1 ? spdlog::level::debug : spdlog::level::warn, "{}; trying again", error.message());
  queue_.add_after(uid, std::min(kLongestRetry, 20ms * (1U << std::min(count, 10U))));
}

Result<> Controller::keep_handler(const std::stop_token& stop) {
  auto kept = pods_.keep_handler(stop);
  if (kept) queue_.add_after(NodePods::kHandlerKey, kResync);
  return kept;
}

Result<> Controller::reconcile(const std::string& uid, const std::stop_token& stop) {
  // An absent object means nothing before the first lists have come; after them it is gone.
  if (!vmis_.wait_synced(stop) || !pods_.wait_synced(stop)) return {};
  if (uid == NodePods::kHandlerKey) return keep_handler(stop);
  if (NodePods::is_foreign(uid)) return pods_.settle_foreign(uid, stop);
  const Subject subject{uid, vmis_.get(uid), pods_.launcher_of(uid)};
  const bool is_ours = subject.vmi != nullptr && node_of(*subject.vmi) == options_.node_name;
  Guest* guest = guests_.find(uid);
  if (!is_ours && guest == nullptr && subject.pod == nullptr) return {};

  GuestView view{State::absent, false, {}};
  if (guest != nullptr) {
    view = guest->observe();
    if (view.state == State::ended) guests_.free_room(uid);
    publish(*guest, view);
  }
  const auto vmi_view = is_ours ? std::optional(view_of(*subject.vmi)) : std::nullopt;
  const auto pod = subject.pod != nullptr ? std::optional(pod_view(*subject.pod)) : std::nullopt;
  const Decision decision = decide(vmi_view, pod, view, guests_.has_room());
  auto done = carry_out(decision, subject, stop);
  if (done && decision.again) queue_.add_after(uid, *decision.again);
  if (done && guests_.find(uid) != nullptr) queue_.add_after(uid, kResync);
  return done;
}

Result<> Controller::carry_out(const Decision& decision, const Subject& subject, const std::stop_token& stop) {
  if (decision.phase) return vmis_.write_phase(*subject.vmi, decision, stop);
  switch (decision.action) {
    case Action::none: break;
    case Action::start: return start_guest(*subject.vmi, stop);
    case Action::stop: stop_guest(*guests_.find(subject.uid), subject, stop); break;
    case Action::kill: {
      Guest& guest = *guests_.find(subject.uid);
      spdlog::info("stopping the guest of VMI {}, which is gone", guest.spec().full_name());
      retire(guest);
      guest.kill();
      break;
    }
    case Action::forget: return forget(subject.uid);
    case Action::run_pod: return pods_.report_running(*subject.pod, stop);
    case Action::end_pod: return pods_.report_ended(*subject.pod, decision.well, stop);
    case Action::remove_pod: return pods_.remove(*subject.pod, stop);
    case Action::report_pause: return vmis_.write_pause(*subject.vmi, stop);
    case Action::wait_for_room: {
      const std::lock_guard lock(mutex_);
      if (told_full_.insert(subject.uid).second) {
        spdlog::warn("{} waits: the node runs its {} guests (--max-vmis)", pod_path(*subject.pod), options_.max_vmis);
      }
      break;
    }
  }
  return {};
}

Result<> Controller::start_guest(const json& vmi, const std::stop_token& stop) {
  auto spec = guest_spec(vmi);
  Decision failed;
  failed.phase = Phase::failed;
  failed.reason = "GuestNotStarted";
  if (!spec) {
    failed.message = spec.error().message();
    return vmis_.write_phase(vmi, failed, stop);
  }
  TemplateAnswer from;
  if (options_.templates != nullptr && may_be_cloned(*spec)) from = options_.templates->ask(*spec);
  if (from.kind == TemplateAnswer::Kind::soon) {
    queue_.add_after(spec->uid, kTemplateLook);
    return {};
  }
  if (!guests_.take_room(spec->uid)) {
    queue_.add(spec->uid);  // another VMI was faster
    return {};
  }
  auto guest = make_guest(*spec, from, stop);
  if (!guest) {
    guests_.free_room(spec->uid);
    // The node's next launcher starts it.
    if (stop.stop_requested()) return tl::unexpected(guest.error());
    failed.message = guest.error().message();
    return vmis_.write_phase(vmi, failed, stop);
  }
  spdlog::info("{} the guest of VMI {} (process {})", (*guest)->observe().cloned ? "cloned" : "started",
               spec->full_name(), (*guest)->pid());
  add_guest(std::move(*guest));
  vmis_.send_event(vmi, "Normal", "Created", "VirtualMachineInstance defined.", stop);
  queue_.add(spec->uid);
  return {};
}

/// As a copy of the template, if there is one; otherwise, or when that fails, it is booted.
Result<std::unique_ptr<Guest>> Controller::make_guest(const GuestSpec& spec, const TemplateAnswer& from,
                                                      const std::stop_token& stop) {
  const std::string directory = run_dir_.guest_directory(spec.uid);
  std::string why = from.why;
  if (from.found) {
    auto cloned = Guest::clone(spec, options_.host, directory, *from.found, stop);
    if (cloned || stop.stop_requested()) return cloned;
    options_.templates->distrust(from.key, cloned.error());
    why = cloned.error().message();
  }
  if (!why.empty()) spdlog::info("booting the guest of VMI {}: {}", spec.full_name(), why);
  return Guest::start(spec, options_.host, directory);
}

/// The guest gets the time that its VMI allows now, not the one when the guest began: a stop of the VM may allow less.
/// A launcher pod that is deleted with less time wins over both.
void Controller::stop_guest(Guest& guest, const Subject& subject, const std::stop_token& stop) {
  const json& vmi = *subject.vmi;
  const auto pod = subject.pod != nullptr ? pod_view(*subject.pod) : PodView{};
  const auto own = termination_grace(vmi);
  const bool first = guest.observe().state != State::stopping;
  retire(guest);
  guest.stop(std::min(own, pod.grace.value_or(own)));
  if (!first) return;
  spdlog::info("stopping the guest of VMI {}", guest.spec().full_name());
  vmis_.send_event(vmi, "Normal", "ShuttingDown", "Signaled Graceful Shutdown", stop);
}

Result<> Controller::forget(const std::string& uid) {
  if (Guest* guest = guests_.find(uid)) {
    retire(*guest);
    if (auto removed = guest->remove_directory(); !removed) return removed;
  }
  guests_.erase(uid);
  const std::lock_guard lock(mutex_);
  failures_.erase(uid);
  told_full_.erase(uid);
  return {};
}

void Controller::publish(Guest& guest, const GuestView& view) {
  const GuestSpec& spec = guest.spec();
  if (view.state == State::running) {
    registry_.put(spec.vmi_namespace, spec.name, {spec.uid, guest.directory()});
  } else {
    retire(guest);
  }
}

void Controller::retire(Guest& guest) {
  const std::string& uid = guest.spec().uid;
  if (registry_.drop(uid)) hooks_.end_sessions(uid);
}

void Controller::add_guest(std::unique_ptr<Guest> guest) {
  const std::string uid = guest->spec().uid;
  if (guest->exit_fd() >= 0) {
    Fd copy(::fcntl(guest->exit_fd(), F_DUPFD_CLOEXEC, 0));
    if (copy) hooks_.watch_exit(std::move(copy), [this, uid] { queue_.add(uid); });
  }
  guests_.add(std::move(guest));
}

void Controller::shut_down(std::chrono::milliseconds grace, std::chrono::milliseconds api_time) {
  power_off(guests_, grace);
  const auto client = client_.with_options({.connect_timeout = api_time, .answer_timeout = api_time});
  std::vector<std::jthread> writers;
  for (Guest* guest : guests_.all()) {
    writers.emplace_back([this, &client, guest] { report_end(client, vmis_, pods_, options_.node_name, *guest); });
  }
}

}  // namespace usbloop::launcher
