#include "launcher-sim/channel_request.h"

#include <array>
#include <string_view>

namespace usbloop::launcher {
namespace {

const char* status_text(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

}  // namespace

std::optional<ChannelRequest> parse_channel_target(const std::string& target) {
  std::string_view rest = std::string_view(target).substr(0, target.find('?'));
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
  if (subresource == "console") {
    request.kind = ChannelRequest::Kind::console;
  } else if (subresource != "usbredir") {
    return std::nullopt;
  }
  request.vmi_namespace = vmi_namespace;
  request.name = name;
  return request;
}

std::string refusal_response(int status, const std::string& text) {
  std::string response = "HTTP/1.1 " + std::to_string(status) + " " + status_text(status) + "\r\n";
  if (!text.empty()) response += "Content-Type: text/plain; charset=utf-8\r\n";
  return response + "Content-Length: " + std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text;
}

}  // namespace usbloop::launcher
