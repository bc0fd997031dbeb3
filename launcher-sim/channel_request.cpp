#include "launcher-sim/channel_request.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace usbloop::launcher {
namespace {

const char* status_text(int status) {
  switch (status) {
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
  }
}

/// Sets what the last segment of the path and the method mean; false when they mean nothing.
bool read_endpoint(const std::string& method, std::string_view endpoint, ChannelRequest& request) {
  using Kind = ChannelRequest::Kind;
  static constexpr std::array<std::pair<std::string_view, Kind>, 6> kReads = {{{"usbredir", Kind::usbredir},
                                                                               {"console", Kind::console},
                                                                               {"vnc", Kind::vnc},
                                                                               {"guestosinfo", Kind::agent},
                                                                               {"userlist", Kind::agent},
                                                                               {"filesystemlist", Kind::agent}}};
  if (method == "PUT") {
    request.kind = Kind::action;
    const auto action = action_of(endpoint);
    if (action) request.guest_action = *action;
    if (endpoint == "freeze" || endpoint == "unfreeze") request.kind = Kind::agent;
    return action || request.kind == Kind::agent;
  }
  const auto found =
      std::find_if(kReads.begin(), kReads.end(), [&](const auto& read) { return read.first == endpoint; });
  if (method != "GET" || found == kReads.end()) return false;
  request.kind = found->second;
  return true;
}

/// Whether "NAME=VALUE" is one of the parameters of a query.
bool has_parameter(std::string_view query, std::string_view parameter) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    if (one == parameter) return true;
    query.remove_prefix(std::min(query.size(), one.size() + 1));
  }
  return false;
}

}  // namespace

std::optional<ChannelRequest> parse_channel_request(const std::string& method, const std::string& target) {
  const auto question = target.find('?');
  std::string_view rest = std::string_view(target).substr(0, question);
  std::array<std::string_view, 6> parts;
  for (auto& part : parts) {
    if (rest.empty() || rest.front() != '/') return std::nullopt;
    rest.remove_prefix(1);
    part = rest.substr(0, rest.find('/'));
    if (part.empty()) return std::nullopt;
    rest.remove_prefix(part.size());
  }
  const auto& [version, namespaces, vmi_namespace, resource, name, subresource] = parts;
  if (!rest.empty() || version != "v1" || namespaces != "namespaces" || resource != "virtualmachineinstances") {
    return std::nullopt;
  }
  ChannelRequest request;
  if (!read_endpoint(method, subresource, request)) return std::nullopt;
  const std::string query = question == std::string::npos ? std::string() : target.substr(question + 1);
  request.preserve_session = request.kind == ChannelRequest::Kind::vnc && has_parameter(query, "preserveSession=true");
  request.endpoint = subresource;
  request.vmi_namespace = vmi_namespace;
  request.name = name;
  return request;
}

std::string plain_response(int status, const std::string& text) {
  std::string response = "HTTP/1.1 " + std::to_string(status) + " " + status_text(status) + "\r\n";
  if (!text.empty()) response += "Content-Type: text/plain; charset=utf-8\r\n";
  return response + "Content-Length: " + std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text;
}

}  // namespace usbloop::launcher
