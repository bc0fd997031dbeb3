#include "client/vmi_state.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "client/api_get.h"

namespace usbloop::client {

namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kInterval{200};
constexpr std::chrono::seconds kPatience{2};
constexpr std::chrono::seconds kMostTime{5};

std::string text_at(const json& object, const json::json_pointer& path) {
  return object.contains(path) && object[path].is_string() ? object[path].get<std::string>() : std::string();
}

Result<VmiState> read_once(const kube::ClusterAccess& access, const Target& target) {
  const auto object = api_get(access, target.object_path(), kPatience);
  if (!object && object.error().kind == ErrorKind::not_found) return VmiState{false, false, ""};
  if (!object) return tl::unexpected(object.error());
  return VmiState{true, !text_at(*object, json::json_pointer("/metadata/deletionTimestamp")).empty(),
                  text_at(*object, json::json_pointer("/status/phase"))};
}

Result<VmiState> ask_until_settled(const kube::ClusterAccess& access, const Target& target) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    auto state = read_once(access, target);
    const bool still_running = state && state->exists && !state->deleting && state->phase == "Running";
    if (!still_running || std::chrono::steady_clock::now() >= deadline) return state;
    std::this_thread::sleep_for(kInterval);
  }
}

Result<VmiState> ask_with_vm(const kube::ClusterAccess& access, const Target& target) {
  auto state = read_once(access, target);
  if (!state) return state;
  const auto vm = api_get(access, target.vm_path(), kPatience);
  if (vm) {
    state->has_vm = text_at(*vm, json::json_pointer("/metadata/deletionTimestamp")).empty();
  } else if (vm.error().kind != ErrorKind::not_found && vm.error().kind != ErrorKind::denied) {
    return tl::unexpected(vm.error());
  }
  return state;
}

using Ask = Result<VmiState> (*)(const kube::ClusterAccess&, const Target&);

/// What the asking thread and the one that waits share.
struct Asking {
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<Result<VmiState>> answer;
};

Result<VmiState> ask_aside(Ask ask, const kube::ClusterAccess& access, const Target& target,
                           const std::stop_token& stop) {
  const auto asking = std::make_shared<Asking>();
  // A look-up of the server's name, or an answer that comes byte by byte, cannot be cancelled from outside.
  std::thread([ask, asking, access, target] {
    Result<VmiState> answer;
    try {
      answer = ask(access, target);
    } catch (const std::exception& error) {
      answer = make_error(ErrorKind::internal, "ask for", target.label(), error.what());
    }
    const std::scoped_lock lock(asking->mutex);
    asking->answer = std::move(answer);
    asking->answered.notify_all();
  }).detach();
  std::unique_lock lock(asking->mutex);
  asking->answered.wait_for(lock, stop, kMostTime, [&] { return asking->answer.has_value(); });
  if (asking->answer) return *asking->answer;
  if (stop.stop_requested()) return make_error(ErrorKind::cancelled, "ask for", target.label(), "asked to stop");
  return make_error(ErrorKind::timeout, "ask for", target.label(), "no answer in time");
}

}  // namespace

Result<VmiState> look_up_vmi(const kube::ClusterAccess& access, const Target& target, const std::stop_token& stop) {
  return ask_aside(ask_until_settled, access, target, stop);
}

Result<VmiState> look_up_machine(const kube::ClusterAccess& access, const Target& target, const std::stop_token& stop) {
  return ask_aside(ask_with_vm, access, target, stop);
}

}  // namespace usbloop::client
