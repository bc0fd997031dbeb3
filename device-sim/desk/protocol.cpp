#include "device-sim/desk/protocol.h"

#include <array>
#include <utility>

#include "common/json_at.h"
#include "common/json_text.h"
#include "common/shown_text.h"

namespace usbloop::desk {

namespace {

using Json = nlohmann::ordered_json;
using usbredir::HostState;
using What = Request::What;

constexpr std::array<std::pair<What, const char*>, 9> kWords{{{What::list, "list"},
                                                              {What::watch, "watch"},
                                                              {What::plug, "plug"},
                                                              {What::unplug, "unplug"},
                                                              {What::replug, "replug"},
                                                              {What::attach, "attach"},
                                                              {What::act, "act"},
                                                              {What::take, "take"},
                                                              {What::release, "release"}}};

constexpr std::array<std::pair<HostState, const char*>, 4> kEnds{{{HostState::rejected, "rejected"},
                                                                  {HostState::device_gone, "device_gone"},
                                                                  {HostState::disconnected, "disconnected"},
                                                                  {HostState::failed, "failed"}}};

constexpr std::array<std::pair<ErrorKind, const char*>, 9> kKinds{{{ErrorKind::invalid, "invalid"},
                                                                   {ErrorKind::not_found, "not_found"},
                                                                   {ErrorKind::conflict, "conflict"},
                                                                   {ErrorKind::denied, "denied"},
                                                                   {ErrorKind::unavailable, "unavailable"},
                                                                   {ErrorKind::timeout, "timeout"},
                                                                   {ErrorKind::protocol, "protocol"},
                                                                   {ErrorKind::cancelled, "cancelled"},
                                                                   {ErrorKind::internal, "internal"}}};

auto refuse_request(std::string cause) {
  return make_error(ErrorKind::protocol, "understand", "the request", std::move(cause));
}

/// A text field, which may be missing; nothing when it is something else.
bool take_text(const nlohmann::json& object, const char* key, std::string& into) {
  const auto field = object.find(key);
  if (field == object.end()) return true;
  if (!field->is_string()) return false;
  into = field->get<std::string>();
  return into.find('\0') == std::string::npos;
}

}  // namespace

Result<Request> parse_request(std::string_view line) {
  const auto object = parse_json_object(line);
  if (!object) return tl::unexpected(object.error());
  std::string word;
  Request request;
  const bool is_text = take_text(*object, "do", word) && take_text(*object, "device", request.device) &&
                       take_text(*object, "verb", request.verb) && take_text(*object, "text", request.text) &&
                       take_text(*object, "program", request.program);
  if (!is_text) return refuse_request("a field is no text");
  for (const auto& [what, name] : kWords) {
    if (word != name) continue;
    request.what = what;
    return request;
  }
  return refuse_request("it is to do '" + one_line(word, 32) + "'");
}

std::string request_line(const Request& request) {
  Json object;
  for (const auto& [what, name] : kWords) {
    if (what == request.what) object["do"] = name;
  }
  for (const auto& [key, text] : {std::pair("device", &request.device),
                                  {"verb", &request.verb},
                                  {"text", &request.text},
                                  {"program", &request.program}}) {
    if (!text->empty()) object[key] = *text;
  }
  return line_of(object);
}

Json to_json(const Error& error) {
  Json object;
  for (const auto& [kind, name] : kKinds) {
    if (kind == error.kind) object["kind"] = name;
  }
  object["operation"] = error.operation;
  object["object"] = error.object;
  object["cause"] = error.cause;
  object["hint"] = error.hint;
  return object;
}

Error error_from(const nlohmann::json& object) {
  Error error{ErrorKind::protocol, text_at(object, "/operation"), text_at(object, "/object"), text_at(object, "/cause"),
              text_at(object, "/hint")};
  const auto word = text_at(object, "/kind");
  for (const auto& [kind, name] : kKinds) {
    if (word == name) error.kind = kind;
  }
  return error;
}

std::string word_of(HostState state) {
  for (const auto& [one, name] : kEnds) {
    if (one == state) return name;
  }
  return "failed";
}

HostState state_of(const std::string& word) {
  for (const auto& [state, name] : kEnds) {
    if (word == name) return state;
  }
  return HostState::failed;
}

std::string line_of(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace usbloop::desk
