#include "client/vmi_state.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/kube/rest_client.h"

namespace usbloop::client {

namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kInterval{200};
constexpr std::chrono::seconds kPatience{2};

std::string text_at(const json& object, const json::json_pointer& path) {
  return object.contains(path) && object[path].is_string() ? object[path].get<std::string>() : std::string();
}

Result<VmiState> read_once(const kube::RestClient& client, const Target& target) {
  const auto object = client.get(target.object_path());
  if (!object && object.error().kind == ErrorKind::not_found) return VmiState{false, false, ""};
  if (!object) return tl::unexpected(object.error());
  return VmiState{true, !text_at(*object, json::json_pointer("/metadata/deletionTimestamp")).empty(),
                  text_at(*object, json::json_pointer("/status/phase"))};
}

}  // namespace

Result<VmiState> look_up_vmi(const kube::ClusterAccess& access, const Target& target) {
  kube::RestOptions limits;
  limits.connect_timeout = kPatience;
  limits.answer_timeout = kPatience;
  const auto client = kube::RestClient::make(access, "usbloop/" USBLOOP_VERSION, limits);
  if (!client) return tl::unexpected(client.error());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    auto state = read_once(*client, target);
    const bool still_running = state && state->exists && !state->deleting && state->phase == "Running";
    if (!still_running || std::chrono::steady_clock::now() >= deadline) return state;
    std::this_thread::sleep_for(kInterval);
  }
}

}  // namespace usbloop::client
