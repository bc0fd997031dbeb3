#include "common/kube/exec_credential.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "common/json_text.h"
#include "common/kube/encoding.h"
#include "common/kube/run_command.h"

namespace usbloop::kube {

namespace {

using nlohmann::json;

/// The plugin's settings, as the kubeconfig has them.
struct Plugin {
  std::string api_version;
  std::string install_hint;
  bool interactive = false;
  bool provide_cluster_info = false;
  Command command;
};

Result<> read_command(const Section& exec, Plugin& plugin) {
  auto command = exec.text("command");
  if (!command) return tl::unexpected(command.error());
  if (command->empty()) return exec.error("command", "is missing");
  // A path is relative to the kubeconfig, a bare name is looked up in PATH.
  const bool is_path = command->find('/') != std::string::npos;
  plugin.command.arguments.push_back(is_path ? exec.resolve(*command) : *command);
  const auto arguments = exec.list("args");
  if (!arguments) return tl::unexpected(arguments.error());
  for (const auto& argument : *arguments) {
    if (!argument.IsScalar()) return exec.error("args", "has an entry that is not text");
    plugin.command.arguments.push_back(argument.Scalar());
  }
  const auto variables = exec.list("env");
  if (!variables) return tl::unexpected(variables.error());
  for (const auto& node : *variables) {
    const Section variable(exec.file(), "exec.env[]", node);
    const auto name = variable.text("name");
    if (!name) return tl::unexpected(name.error());
    const auto value = variable.text("value");
    if (!value) return tl::unexpected(value.error());
    if (name->empty() || name->find('=') != std::string::npos)
      return variable.error("name", "is not a variable's name");
    plugin.command.environment.emplace_back(*name, *value);
  }
  return {};
}

Result<> read_mode(const Section& exec, Plugin& plugin) {
  const auto mode = exec.text("interactiveMode");
  if (!mode) return tl::unexpected(mode.error());
  const bool terminal = stdin_is_terminal();
  if (mode->empty() || *mode == "IfAvailable") {
    plugin.interactive = terminal;
  } else if (*mode == "Always") {
    if (!terminal) return exec.error("interactiveMode", "is Always, but standard input is not a terminal");
    plugin.interactive = true;
  } else if (*mode != "Never") {
    return exec.error("interactiveMode", "must be Never, IfAvailable or Always");
  }
  plugin.command.inherit_stdin = plugin.interactive;
  return {};
}

Result<Plugin> read_plugin(const Section& exec) {
  Plugin plugin;
  auto version = exec.text("apiVersion");
  if (!version) return tl::unexpected(version.error());
  plugin.api_version = *version;
  if (*version != "client.authentication.k8s.io/v1" && *version != "client.authentication.k8s.io/v1beta1") {
    return exec.error("apiVersion", "\"" + *version + "\" is not supported",
                      "Supported are client.authentication.k8s.io/v1 and v1beta1.");
  }
  const auto hint = exec.text("installHint");
  if (!hint) return tl::unexpected(hint.error());
  plugin.install_hint = *hint;
  const auto cluster_info = exec.flag("provideClusterInfo");
  if (!cluster_info) return tl::unexpected(cluster_info.error());
  plugin.provide_cluster_info = *cluster_info;
  if (auto read = read_command(exec, plugin); !read) return tl::unexpected(read.error());
  if (auto read = read_mode(exec, plugin); !read) return tl::unexpected(read.error());
  return plugin;
}

std::string exec_info(const Plugin& plugin, const ClusterAccess& access) {
  json info{
      {"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", plugin.interactive}}}};
  if (plugin.provide_cluster_info) {
    json cluster{{"server", access.url()}};
    if (!access.tls_server_name.empty()) cluster["tls-server-name"] = access.tls_server_name;
    if (access.insecure_skip_tls_verify) cluster["insecure-skip-tls-verify"] = true;
    if (!access.ca_pem.empty()) cluster["certificate-authority-data"] = base64_encode(access.ca_pem);
    info["spec"]["cluster"] = std::move(cluster);
  }
  return info.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string member_text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The plugin's own word on how to get it, else what it is for.
std::string cure(const Plugin& plugin) {
  if (!plugin.install_hint.empty()) return plugin.install_hint;
  const std::string& name = plugin.command.arguments.front();
  return "The kubeconfig starts " + name +
         " for your credentials: it has to be installed, and to work when you start it.";
}

Result<> apply_output(const Section& exec, const Plugin& plugin, const std::string& output, ClusterAccess& access) {
  const std::string name = plugin.command.arguments.front();
  const json credential = parse_json_object(output).value_or(json());
  if (credential.is_null()) return exec.error("command", name + " did not print an ExecCredential in JSON");
  if (member_text(credential, "kind") != "ExecCredential" ||
      member_text(credential, "apiVersion") != plugin.api_version) {
    return exec.error("command",
                      name + " printed another kind or apiVersion than ExecCredential " + plugin.api_version);
  }
  const auto status = credential.find("status");
  if (status == credential.end() || !status->is_object()) return exec.error("command", name + " printed no status");
  const std::string token = member_text(*status, "token");
  const std::string cert = member_text(*status, "clientCertificateData");
  const std::string key = member_text(*status, "clientKeyData");
  if (cert.empty() != key.empty()) return exec.error("command", name + " printed only one of certificate and key");
  if (token.empty() && cert.empty()) return exec.error("command", name + " printed neither a token nor a certificate");
  if (token.find_first_of("\r\n") != std::string::npos) return exec.error("command", name + " printed a broken token");
  access.token = token;
  if (!cert.empty()) {
    access.client_cert_pem = cert;
    access.client_key_pem = key;
  }
  return {};
}

}  // namespace

Result<> apply_exec_credential(const Section& exec, ClusterAccess& access) {
  auto plugin = read_plugin(exec);
  if (!plugin) return tl::unexpected(plugin.error());
  plugin->command.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(*plugin, access));
  const auto output = run_command(plugin->command);
  if (!output) return exec.error("command", output.error().message(), cure(*plugin));
  if (output->exit_status != 0) {
    return exec.error("command",
                      plugin->command.arguments.front() + " ended with status " + std::to_string(output->exit_status),
                      cure(*plugin));
  }
  return apply_output(exec, *plugin, output->text, access);
}

}  // namespace usbloop::kube
