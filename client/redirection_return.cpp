#include <utility>

#include "client/exit_status.h"
#include "client/redirection.h"
#include "client/vmi_state.h"
#include "common/log.h"
#include "common/shown_text.h"

// How a redirection comes back: what each end means, what is waited for, and one line for each.
namespace usbloop::client {

namespace {

/// A device that has just come is opened before udev has given it to us: so long it is only tried again.
constexpr std::chrono::milliseconds kSettling{3'000};
constexpr std::chrono::milliseconds kBetweenLooks{1'000};
constexpr std::chrono::milliseconds kBetweenLooksSettling{200};

std::string refusal_line(const websocket::Refusal& refusal, const Target& target) {
  return "Can't access VMI " + target.name + ": " + refusal_message(refusal);
}

Happening why_it_waits(const VmiState& state) {
  if (!state.exists) return Happening::waits_vmi_stopped;
  const bool has_ended = state.phase == "Succeeded" || state.phase == "Failed" || state.deleting;
  return has_ended ? Happening::waits_vmi_ended : Happening::waits_vmi_starting;
}

std::string why_it_waits(const VmiState& state, const Target& target) {
  if (state.exists && state.phase == "Running") return {};
  switch (why_it_waits(state)) {
    case Happening::waits_vmi_stopped:
      return target.label() + " is not running, but its VM is there: waiting until it is started.";
    case Happening::waits_vmi_ended: return target.label() + " has ended: waiting until its VM starts it again.";
    default: return target.label() + " is starting.";
  }
}

std::string why_it_ended(const VmiState& state, const Target& target) {
  const std::string cure = "\nMake or start it anew, then redirect again. " + see_what_there_is(target);
  if (!state.exists) return target.label() + " has been deleted." + cure;
  if (state.deleting) return target.label() + " is being deleted." + cure;
  return target.label() + " is no longer running (phase " + state.phase + ")." + cure;
}

}  // namespace

void Redirection::waits_for(Happening what, const std::string& reason) {
  if (reason.empty() || reason == said_) return;
  said_ = reason;
  tell(what, reason);
}

std::optional<int> Redirection::judge(const Attempt& attempt) {
  if (attempt.refusal) return judge_refusal(*attempt.refusal);
  denied_ = false;
  reload_ = attempt.not_connected.has_value();
  if (attempt.not_connected) {
    // The loss of a session has been told; a server that restarts refuses connections for a while.
    spdlog::debug("{}", shown_lines(text_of(*attempt.not_connected)));
    if (!redirected_) waits_for(Happening::waits_connection_lost, text_of(*attempt.not_connected));
  } else if (attempt.not_taken) {
    if (attempt.not_taken->kind != ErrorKind::not_found)
      waits_for(Happening::waits_device_unusable, text_of(*attempt.not_taken));
  } else {
    return judge_end(*attempt.end, attempt.device);
  }
  return std::nullopt;
}

std::optional<int> Redirection::judge_end(const SessionEnd& how, usbredir::HostState device) {
  const bool is_gone = device == usbredir::HostState::device_gone;
  const bool was_our_choice = options_.transport == Transport::automatic && translated_.value_or(false);
  if (device == usbredir::HostState::rejected && was_our_choice) {
    translated_ = false;
    waits_for(Happening::waits_other_transport,
              target_.label() + " does not take the stick as a UAS disk: redirecting it as it is.");
    return std::nullopt;
  }
  if (after_end(how, device) == Next::stop || (is_gone && !device_->can_come_back())) return report_end(how);
  if (std::chrono::steady_clock::now() - announced_at_ >= options_.steady_after) backoff_.reset();
  if (how.cause == SessionEnd::Cause::not_served) {
    waits_for(Happening::waits_not_answering, target_.label() + " does not answer (is it paused?): trying again.");
  } else if (!is_gone) {
    waits_for(Happening::waits_connection_lost, what_ended(how, target_) + ": reconnecting.");
  }
  return std::nullopt;
}

std::optional<int> Redirection::judge_refusal(const websocket::Refusal& refusal) {
  const bool was_denied = std::exchange(denied_, false);
  switch (after_refusal(refusal)) {
    case Next::stop: return report_refusal(refusal);
    case Next::stop_if_repeated:
      if (was_denied) return report_refusal(refusal);
      denied_ = reload_ = true;
      tell(Happening::waits_access_denied);
      return std::nullopt;
    case Next::ask: return judge_state(refusal);
    case Next::retry:
      if (is_busy(refusal)) {
        waits_for(Happening::waits_slots_busy, refusal_line(refusal, target_) + ": waiting for a free slot.");
      } else {
        waits_for(Happening::waits_refused, refusal_line(refusal, target_) + ": trying again.");
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<int> Redirection::judge_state(const websocket::Refusal& refusal) {
  const auto state = look_up_machine(access_, target_, asked_to_stop_.get_token());
  if (!state) {
    // Who may not read the VMI has only the refusal's word.
    if (refusal.status == 404 && state.error().kind == ErrorKind::denied) return report_refusal(refusal);
    waits_for(Happening::waits_refused, refusal_line(refusal, target_) + ": trying again.");
    return std::nullopt;
  }
  if (comes_back(*state)) {
    waits_for(why_it_waits(*state), why_it_waits(*state, target_));
    return std::nullopt;
  }
  return end(Happening::ended_vmi_gone, why_it_ended(*state, target_), kExitFailed);
}

asio::awaitable<bool> Redirection::make_ready() {
  co_await pause();
  await_device();
  if (reload_) reload();
  co_return !stopped();
}

void Redirection::await_device() {
  auto there_since = std::chrono::steady_clock::now();
  while (!stopped()) {
    const auto ready = device_->prepare();
    if (ready) {
      note_device();
      return;
    }
    const bool is_unplugged = ready.error().kind == ErrorKind::not_found && device_->can_come_back();
    const auto now = std::chrono::steady_clock::now();
    if (is_unplugged) there_since = now;
    const bool is_settled = now - there_since >= kSettling;
    if (is_unplugged) {
      waits_for(Happening::waits_device_unplugged,
                device_->label() + " is unplugged: waiting until it is plugged in again.");
    } else if (is_settled) {
      waits_for(Happening::waits_device_unusable, text_of(ready.error()));
    }
    device_->wait_for_arrival(is_unplugged || is_settled ? kBetweenLooks : kBetweenLooksSettling,
                              asked_to_stop_.get_token());
  }
}

void Redirection::reload() {
  auto fresh = hooks_.reload_access();
  if (fresh) {
    access_ = std::move(*fresh);
  } else {
    waits_for(Happening::waits_kubeconfig_unusable, text_of(fresh.error()));
  }
}

}  // namespace usbloop::client
