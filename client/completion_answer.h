#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "client/completion.h"
#include "client/devices/device_list.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::client {

/// Looks up what can stand in the place of the word: at this machine, in the kubeconfig, at the server, which has three
/// seconds. What cannot be looked up is not offered.
std::vector<CompletionWord> look_up_words(
    const CompletionQuery& query, const std::function<Result<kube::ClusterAccess>(const Options&)>& load_access);

/// The words for a list of objects as an API server sends it, hostile or not, described by the field at that pointer.
std::vector<CompletionWord> words_of_objects(const nlohmann::json& list, const char* status_field);

/// The words for this machine's devices: the id where one device has it, else bus and device; where something is begun,
/// each form of a selector.
std::vector<CompletionWord> words_of_devices(const std::vector<ListedDevice>& devices, const std::string& begun);

}  // namespace usbloop::client
