#include "apiserver-sim/subresource/vmi_actions.h"

#include <string_view>

#include "apiserver-sim/subresource/node_request.h"
#include "apiserver-sim/subresource/refusals.h"
#include "common/log.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

tl::unexpected<kube::Status> bad_options(const std::string& why) {
  return tl::unexpected(kube::bad_request("Can not unmarshal Request body to struct, error: " + why));
}

/// Whether the body's options ask for a dry run. As the real server reads it: JSON or YAML whatever its Content-Type,
/// and nothing is as good as {}.
tl::expected<bool, kube::Status> read_dry_run_option(const std::string& body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return false;
  const auto options = body[first] == '{' ? parse_json(body) : parse_yaml(body);
  if (!options) return bad_options(options.error().message);
  if (options->is_null()) return false;
  if (!options->is_object()) return bad_options("json: cannot unmarshal " + std::string(options->type_name()));
  const json* dry_run = element_at(*options, "/dryRun");
  if (dry_run == nullptr || dry_run->is_null()) return false;
  if (!dry_run->is_array()) return bad_options("json: cannot unmarshal the field dryRun, which is no list");
  return !dry_run->empty() && dry_run->front() == "All";
}

std::string node_path(const RequestInfo& info) {
  return "/v1/namespaces/" + info.namespace_ + "/virtualmachineinstances/" + info.name + "/" + info.subresource;
}

/// Asks the node. An error reads as Go's client and virt-api word it together.
tl::expected<std::string, std::string> ask(const NodeChannel& channel, const NodeRequest& request) {
  const auto reply = ask_node(channel, request, kNodeRequestTime);
  if (!reply) {
    const std::string method = request.method == "PUT" ? "Put" : "Get";
    return tl::unexpected(method + " \"https://" + channel.node + request.path + "\": " + reply.error().cause);
  }
  if (reply->status >= 200 && reply->status <= 299) return reply->body;
  const std::string code = std::to_string(reply->status);
  return tl::unexpected("unexpected return code " + code + " (" + code + " " + reply->status_text +
                        "), message: " + reply->body);
}

enum class DryRun { possible, unknown };

Response put(const Store& store, const Request& request, const RequestInfo& info, VmiCheck check, DryRun dry_run) {
  bool only_check = false;
  if (dry_run == DryRun::possible) {
    const auto wanted = read_dry_run_option(request.body);
    if (!wanted) return answer_refusal(wanted.error());
    only_check = *wanted;
  }
  const auto channel = find_channel(store, info.namespace_, info.name, check);
  if (!channel) return answer_refusal(channel.error());
  if (!only_check) {
    const auto done = ask(*channel, {"PUT", node_path(info), request.body});
    if (!done) return answer_refusal(kube::internal_error(done.error()));
    spdlog::info("{} {}/{} by {}", info.subresource, info.namespace_, info.name, request.user.name);
  }
  return {200, "", "", {}};
}

}  // namespace

Response pause_vmi(const Registry& /*registry*/, Store& store, const Request& request, const RequestInfo& info) {
  return put(store, request, info, check_pause, DryRun::possible);
}

Response unpause_vmi(const Registry& /*registry*/, Store& store, const Request& request, const RequestInfo& info) {
  return put(store, request, info, check_unpause, DryRun::possible);
}

Response softreboot_vmi(const Registry& /*registry*/, Store& store, const Request& request, const RequestInfo& info) {
  return put(store, request, info, check_softreboot, DryRun::unknown);
}

Response reset_vmi(const Registry& /*registry*/, Store& store, const Request& request, const RequestInfo& info) {
  return put(store, request, info, check_reset, DryRun::unknown);
}

Response freeze_vmi(const Registry& /*registry*/, Store& store, const Request& request, const RequestInfo& info) {
  return put(store, request, info, check_freeze, DryRun::unknown);
}

Response unfreeze_vmi(const Registry& /*registry*/, Store& store, const Request& request, const RequestInfo& info) {
  return put(store, request, info, check_unfreeze, DryRun::unknown);
}

Response screenshot_vmi(const Registry& /*registry*/, Store& store, const Request& /*request*/,
                        const RequestInfo& info) {
  const auto channel = find_channel(store, info.namespace_, info.name, check_vnc);
  if (!channel) return answer_refusal(channel.error());
  return answer_refusal(kube::internal_error("node " + channel->node + " takes no screenshots; vnc shows the display"));
}

Response guest_os_info(const Registry& /*registry*/, Store& store, const Request& /*request*/,
                       const RequestInfo& info) {
  const auto channel = find_channel(store, info.namespace_, info.name, check_guest_agent);
  if (!channel) return answer_text(500, channel.error().message);
  const auto answer = ask(*channel, {"GET", node_path(info), ""});
  if (!answer) return answer_text(500, answer.error());
  return {200, "application/json", *answer, {}};
}

}  // namespace usbloop::apiserver
