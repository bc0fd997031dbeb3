#include "client/completion_answer.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "client/api_get.h"
#include "client/desk_devices.h"
#include "client/devices/usb_device.h"
#include "client/object_names.h"
#include "common/json_at.h"

namespace usbloop::client {

namespace {

using Of = CompletionQuery::Of;
using Words = std::vector<CompletionWord>;

/// A person waits with a finger on the key.
constexpr std::chrono::milliseconds kTabPatience{3'000};

Words words_of_names(const std::vector<std::string>& names) {
  Words words;
  for (const auto& name : names) words.push_back({name, ""});
  return words;
}

Words words_of_kubeconfig(const Options& options, const char* list) {
  const auto names = kube::kubeconfig_names(kube::kubeconfig_paths(options.kubeconfig), list);
  return names ? words_of_names(*names) : Words{};
}

Words words_of_server(const kube::ClusterAccess& access, const std::string& path, const char* status_field) {
  const auto answer = api_get(access, path + "?limit=200", kTabPatience);
  return answer ? words_of_objects(*answer, status_field) : Words{};
}

Words words_of_vmis(const Options& options, const kube::ClusterAccess& access) {
  const std::string name_space = options.name_space.empty() ? access.default_namespace : options.name_space;
  if (!check_namespace(name_space)) return {};
  return words_of_server(access, "/apis/kubevirt.io/v1/namespaces/" + name_space + "/virtualmachineinstances",
                         "/status/phase");
}

Words words_of_machine(const std::string& desk, const std::string& begun) {
  const auto devices = devices_of(desk);
  return devices ? words_of_devices(look_at(*devices), begun) : Words{};
}

}  // namespace

Words words_of_objects(const nlohmann::json& list, const char* status_field) {
  Words words;
  for (const auto& item : at(list, "/items")) {
    words.push_back({text_at(item, "/metadata/name"), text_at(item, status_field)});
  }
  return words;
}

Words words_of_devices(const std::vector<ListedDevice>& devices, const std::string& begun) {
  Words words;
  for (const auto& listed : devices) {
    const auto& device = listed.device;
    if (device.hub) continue;
    const bool is_only = std::count_if(devices.begin(), devices.end(),
                                       [&](const auto& other) { return other.device.id() == device.id(); }) == 1;
    std::vector<std::string> forms = {is_only ? device.id() : device.bus_device()};
    if (!begun.empty()) {
      if (is_only) forms.push_back(device.bus_device());
      forms.push_back("port=" + device.port_path());
      if (!device.serial.empty()) forms.push_back("serial=" + device.serial);
    }
    for (auto& form : forms) words.push_back({std::move(form), listed.name});
  }
  return words;
}

Words look_up_words(const CompletionQuery& query,
                    const std::function<Result<kube::ClusterAccess>(const Options&)>& load_access) {
  switch (query.of) {
    case Of::words:
    case Of::files: return {};
    case Of::devices: return words_of_machine(query.options.desk, query.begun);
    case Of::contexts: return words_of_kubeconfig(query.options, "contexts");
    case Of::clusters: return words_of_kubeconfig(query.options, "clusters");
    case Of::users: return words_of_kubeconfig(query.options, "users");
    case Of::vmis:
    case Of::namespaces: break;
  }
  const auto access = load_access(query.options);
  if (!access) return {};
  if (query.of == Of::vmis) return words_of_vmis(query.options, *access);
  return words_of_server(*access, "/api/v1/namespaces", "/status/phase");
}

}  // namespace usbloop::client
