#include "kube-sim/fuzz/second_reader.h"

#include <exception>
#include <websocketpp/http/request.hpp>

namespace usbloop::apiserver::fuzz {

std::optional<http::Head> second_reading(std::string_view text) {
  websocketpp::http::parser::request message;
  try {
    message.consume(text.data(), text.size());
  } catch (const std::exception&) {
    return std::nullopt;
  }
  const std::string& version = message.get_version();
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return std::nullopt;
  http::Head head;
  for (const auto& [name, value] : message.get_headers()) head.headers.emplace_back(name, value);
  head.method = message.get_method();
  head.target = message.get_uri();
  return head;
}

}  // namespace usbloop::apiserver::fuzz
