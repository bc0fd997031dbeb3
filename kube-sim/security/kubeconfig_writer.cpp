#include "kube-sim/security/kubeconfig_writer.h"

#include <yaml-cpp/yaml.h>

#include "common/kube/encoding.h"

namespace usbloop::apiserver {

std::string kubeconfig_text(const std::string& server_url, const std::string& ca_pem, const std::string& user,
                            const std::string& token) {
  const std::string context = user + "@usbloop";
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "apiVersion" << YAML::Value << "v1" << YAML::Key << "kind" << YAML::Value
      << "Config" << YAML::Key << "current-context" << YAML::Value << context;
  out << YAML::Key << "clusters" << YAML::Value << YAML::BeginSeq << YAML::BeginMap << YAML::Key << "name"
      << YAML::Value << "usbloop" << YAML::Key << "cluster" << YAML::Value << YAML::BeginMap << YAML::Key << "server"
      << YAML::Value << server_url << YAML::Key << "certificate-authority-data" << YAML::Value
      << kube::base64_encode(ca_pem) << YAML::EndMap << YAML::EndMap << YAML::EndSeq;
  out << YAML::Key << "users" << YAML::Value << YAML::BeginSeq << YAML::BeginMap << YAML::Key << "name" << YAML::Value
      << user << YAML::Key << "user" << YAML::Value << YAML::BeginMap << YAML::Key << "token" << YAML::Value << token
      << YAML::EndMap << YAML::EndMap << YAML::EndSeq;
  out << YAML::Key << "contexts" << YAML::Value << YAML::BeginSeq << YAML::BeginMap << YAML::Key << "name"
      << YAML::Value << context << YAML::Key << "context" << YAML::Value << YAML::BeginMap << YAML::Key << "cluster"
      << YAML::Value << "usbloop" << YAML::Key << "user" << YAML::Value << user << YAML::EndMap << YAML::EndMap
      << YAML::EndSeq << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace usbloop::apiserver
