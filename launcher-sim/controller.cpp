#include "launcher-sim/controller.h"

#include <fcntl.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/log.h"
#include "launcher-sim/pod_status.h"
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
/// Those that the controllers have handed over to a node.
constexpr const char* kVmisOf = "/apis/kubevirt.io/v1/virtualmachineinstances?labelSelector=kubevirt.io%2FnodeName%3D";

}  // namespace

Controller::Controller(const kube::RestClient& client, const RunDir& run_dir, GuestRegistry& registry,
                       ControllerOptions options, ControllerHooks hooks)
    : client_(client),
      run_dir_(run_dir),
      registry_(registry),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      pods_(client, options_.node_name, options_.address),
      informer_(client, kVmisOf + options_.node_name,
                {[this](const std::string& uid) { queue_.add(uid); },
                 [this](const Error* error) {
                   if (error == nullptr) {
                     spdlog::info("the API server {} answers", client_.server());
                   } else {
                     spdlog::warn("the API server is away; guests run on and it is tried again: {}", error->message());
                   }
                 }}) {
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
    if (!ended) takes_room_.insert(uid);
    add_guest(std::move(*guest));
    queue_.add(uid);
  }
}

void Controller::start() {
  queue_.add(NodePods::kHandlerKey);
  threads_.emplace_back([this](const std::stop_token& stop) { informer_.run(stop); });
  threads_.emplace_back([this](const std::stop_token& stop) { pods_.run(stop); });
  for (int i = 0; i < kWorkers; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

void Controller::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  decltype(actions_) left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(actions_);
  }
  for (auto& [uid, waiting] : left) {
    for (const auto& one : waiting) one.done(make_error(ErrorKind::unavailable, "reach", "the guest", "the node ends"));
  }
}

void Controller::perform(const std::string& uid, GuestAction action, ActionDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) actions_[uid].push_back({action, std::exchange(done, nullptr)});
  }
  if (done) return done(make_error(ErrorKind::unavailable, "reach", "the guest", "the node ends"));
  queue_.add(uid);
}

void Controller::perform_waiting(const std::string& uid, const std::stop_token& stop) {
  std::vector<WaitingAction> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = actions_.find(uid);
    if (found == actions_.end()) return;
    waiting = std::move(found->second);
    actions_.erase(found);
  }
  Guest* guest = find_guest(uid);
  for (const auto& one : waiting) {
    const Result<> done = guest == nullptr ? make_error(ErrorKind::not_found, "find", "the guest", "it is gone")
                                           : guest->perform(one.action);
    one.done(done);
    if (!done) {
      spdlog::warn("{} of VMI {}: {}", command_name(one.action), uid, done.error().message());
      continue;
    }
    spdlog::info("{} of VMI {}", command_name(one.action), guest->spec().full_name());
    const auto vmi = informer_.get(uid);
    if (one.action != GuestAction::softreboot || vmi == nullptr) continue;
    send_event(*vmi, "Normal", "SoftRebooted", "VirtualMachineInstance soft rebooted", stop);
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
  // A conflict means that the object has changed and will come again; an API server that is away is the informer's
  // news. Of everything else the first failure is told.
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
  // Before the first lists an absent object means nothing, and after them an absent one is gone.
  if (!informer_.wait_synced(stop) || !pods_.wait_synced(stop)) return {};
  if (uid == NodePods::kHandlerKey) return keep_handler(stop);
  const Subject subject{uid, informer_.get(uid), pods_.launcher_of(uid)};
  const bool is_ours = subject.vmi != nullptr && node_of(*subject.vmi) == options_.node_name;
  Guest* guest = find_guest(uid);
  if (!is_ours && guest == nullptr && subject.pod == nullptr) return {};

  GuestView view{State::absent, false, {}};
  if (guest != nullptr) {
    view = guest->observe();
    if (view.state == State::ended) free_room(uid);
    publish(*guest, view);
  }
  const auto vmi_view = is_ours ? std::optional(view_of(*subject.vmi)) : std::nullopt;
  const auto pod = subject.pod != nullptr ? std::optional(pod_view(*subject.pod)) : std::nullopt;
  const Decision decision = decide(vmi_view, pod, view, has_room());
  auto done = carry_out(decision, subject, stop);
  if (done && decision.again) queue_.add_after(uid, *decision.again);
  if (done && find_guest(uid) != nullptr) queue_.add_after(uid, kResync);
  return done;
}

Result<> Controller::carry_out(const Decision& decision, const Subject& subject, const std::stop_token& stop) {
  if (decision.phase) return write_phase(*subject.vmi, decision, stop);
  switch (decision.action) {
    case Action::none: break;
    case Action::start: return start_guest(*subject.vmi, stop);
    case Action::stop: stop_guest(*find_guest(subject.uid), *subject.vmi, stop); break;
    case Action::kill: {
      Guest& guest = *find_guest(subject.uid);
      spdlog::info("stopping the guest of VMI {}, which is gone", guest.spec().full_name());
      retire(guest);
      guest.kill();
      break;
    }
    case Action::forget: return forget(subject.uid);
    case Action::run_pod: return pods_.report_running(*subject.pod, stop);
    case Action::end_pod: return pods_.report_ended(*subject.pod, decision.well, stop);
    case Action::remove_pod: return pods_.remove(*subject.pod, stop);
    case Action::report_pause: return write_pause(*subject.vmi, stop);
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
    return write_phase(vmi, failed, stop);
  }
  if (!reserve_room(spec->uid)) {
    queue_.add(spec->uid);  // another VMI was faster
    return {};
  }
  auto guest = Guest::start(*spec, options_.host, run_dir_.guest_directory(spec->uid));
  if (!guest) {
    free_room(spec->uid);
    failed.message = guest.error().message();
    return write_phase(vmi, failed, stop);
  }
  spdlog::info("started the guest of VMI {} (process {})", spec->full_name(), (*guest)->pid());
  add_guest(std::move(*guest));
  send_event(vmi, "Normal", "Created", "VirtualMachineInstance defined.", stop);
  queue_.add(spec->uid);
  return {};
}

void Controller::stop_guest(Guest& guest, const json& vmi, const std::stop_token& stop) {
  const bool first = guest.observe().state != State::stopping;
  retire(guest);
  guest.stop(std::chrono::seconds(guest.spec().grace_seconds));
  if (!first) return;
  spdlog::info("stopping the guest of VMI {}", guest.spec().full_name());
  send_event(vmi, "Normal", "ShuttingDown", "Signaled Graceful Shutdown", stop);
}

Result<> Controller::write_phase(const json& vmi, const Decision& decision, const std::stop_token& stop) {
  const json patch = phase_patch(vmi, *decision.phase, decision.reason, options_.node_name, rfc3339_now());
  auto written = client_.patch(vmi_path(vmi), kube::PatchType::merge, patch, stop);
  if (!written) return tl::unexpected(written.error());
  const bool failed = *decision.phase == Phase::failed;
  spdlog::log(failed ? spdlog::level::warn : spdlog::level::info, "VMI {}/{} is {}{}{}",
              vmi.at("metadata").value("namespace", ""), vmi.at("metadata").value("name", ""), to_text(*decision.phase),
              decision.message.empty() ? "" : ": ", decision.message);
  informer_.observe(std::move(*written));
  if (!decision.reason.empty()) {
    send_event(vmi, failed ? "Warning" : "Normal", failed ? "Stopped" : decision.reason, decision.message, stop);
  }
  return {};
}

Result<> Controller::write_pause(const json& vmi, const std::stop_token& stop) {
  const bool paused = !view_of(vmi).paused;
  auto written = client_.patch(vmi_path(vmi), kube::PatchType::merge, pause_patch(vmi, paused, rfc3339_now()), stop);
  if (!written) return tl::unexpected(written.error());
  spdlog::info("VMI {} is {}", vmi_path(vmi), paused ? "paused" : "no longer paused");
  informer_.observe(std::move(*written));
  return {};
}

Result<> Controller::forget(const std::string& uid) {
  if (Guest* guest = find_guest(uid)) {
    retire(*guest);
    if (auto removed = guest->remove_directory(); !removed) return removed;
  }
  const std::lock_guard lock(mutex_);
  guests_.erase(uid);
  takes_room_.erase(uid);
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

void Controller::send_event(const json& vmi, const char* type, const std::string& reason, const std::string& message,
                            const std::stop_token& stop) const {
  const json event = vmi_event(vmi, type, reason, message, options_.node_name, rfc3339_now());
  const std::string path = "/api/v1/namespaces/" + event.at("metadata").at("namespace").get<std::string>() + "/events";
  if (const auto sent = client_.create(path, event, stop); !sent) spdlog::debug("{}", sent.error().message());
}

Guest* Controller::find_guest(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(uid);
  return found == guests_.end() ? nullptr : found->second.get();
}

void Controller::add_guest(std::unique_ptr<Guest> guest) {
  const std::string uid = guest->spec().uid;
  if (guest->exit_fd() >= 0) {
    Fd copy(::fcntl(guest->exit_fd(), F_DUPFD_CLOEXEC, 0));
    if (copy) hooks_.watch_exit(std::move(copy), [this, uid] { queue_.add(uid); });
  }
  const std::lock_guard lock(mutex_);
  guests_.insert_or_assign(uid, std::move(guest));
}

bool Controller::has_room() {
  const std::lock_guard lock(mutex_);
  return std::ssize(takes_room_) < options_.max_vmis;
}

bool Controller::reserve_room(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  if (std::ssize(takes_room_) >= options_.max_vmis) return false;
  takes_room_.insert(uid);
  return true;
}

void Controller::free_room(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  takes_room_.erase(uid);
}

void Controller::shut_down(std::chrono::milliseconds grace, std::chrono::milliseconds api_time) {
  stop_all_guests(grace);
  const auto client = client_.with_options({.connect_timeout = api_time, .answer_timeout = api_time});
  std::vector<std::jthread> writers;
  for (auto& [uid, guest] : guests_) {
    writers.emplace_back([this, &client, uid = uid, &guest = *guest] { report_end(client, uid, guest); });
  }
}

/// All at the same time, bounded by `grace` and a little.
void Controller::stop_all_guests(std::chrono::milliseconds grace) {
  const auto until = std::chrono::steady_clock::now() + grace + 2s;
  int waiting_for = -1;
  do {
    waiting_for = -1;
    for (auto& [uid, guest] : guests_) {
      if (guest->observe().state == State::ended) continue;
      guest->stop(grace);
      waiting_for = guest->exit_fd();
    }
    if (waiting_for >= 0) wait_pidfd(waiting_for, 100ms);
  } while (waiting_for >= 0 && std::chrono::steady_clock::now() < until);
  for (auto& [uid, guest] : guests_) {
    if (guest->observe().state != State::ended) guest->kill_and_wait(1s);
  }
}

void Controller::report_end(const kube::RestClient& client, const std::string& uid, Guest& guest) {
  const GuestView view = guest.observe();
  const auto known = informer_.get(uid);
  if (known == nullptr) return;
  // The copy may be older than our own last word about the VMI.
  const auto vmi = client.get(vmi_path(*known));
  if (!vmi) {
    if (vmi.error().kind == ErrorKind::not_found) return;
    spdlog::warn("{}; the node's next launcher tells how VMI {} ended", vmi.error().message(),
                 guest.spec().full_name());
    return;
  }
  if (vmi->at("metadata").value("uid", "") != uid || is_final(view_of(*vmi).phase)) return;
  const Decision decision = decide(view_of(*vmi), PodView{.runs = true}, view, true);
  if (!decision.phase) return;
  const json patch = phase_patch(*vmi, *decision.phase, decision.reason, options_.node_name, rfc3339_now());
  const auto written = client.patch(vmi_path(*vmi), kube::PatchType::merge, patch);
  if (!written) {
    spdlog::warn("{}", written.error().message());
    return;
  }
  spdlog::info("VMI {} is {}", guest.spec().full_name(), to_text(*decision.phase));
  const auto pod = pods_.launcher_of(uid);
  if (pod == nullptr) return;
  const json ended = pod_ended(*pod, *decision.phase == Phase::succeeded, rfc3339_now());
  if (const auto told = client.patch(pod_path(*pod) + "/status", kube::PatchType::merge, ended); !told) {
    spdlog::warn("{}", told.error().message());
  }
}

}  // namespace usbloop::launcher
