#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/error.h"
#include "usbredir/host_end.h"

// What is said at a desk's control socket: a line of JSON asks, a line of JSON answers.
//
//     {"do": "list"}                                        {"desk": FILE, "devices": [{…}, …]}
//     {"do": "watch"}                                       the same, now and at each change
//     {"do": "plug", "device": NAME}, unplug, replug        {"done": true}
//     {"do": "attach", "device": NAME, "text": FILE}        {"done": true}
//     {"do": "act", "device": NAME, "verb": "type", "text": TEXT}
//     {"do": "take", "device": NAME, "program": WHO}        {"device": {…}}
//
// With the answer to `take` comes one end of a pair of sockets (SCM_RIGHTS), which carries usbredir: the desk is its
// usb-host end. The connection stays, as the hold on the device. There the desk says {"state": "announced"}, and as its
// last word {"ended": STATE, "error": {…} or null} when its end of the pair is closed. {"do": "release"}, or the end of
// the connection, gives the device back. What is wrong is {"error": {…}}, and the conversation goes on.
namespace usbloop::desk {

inline constexpr std::size_t kLongestLine = 160 * 1024;  ///< of a request: a text of 64 KiB, each character escaped

struct Request {
  enum class What { list, watch, plug, unplug, replug, attach, act, take, release };
  What what = What::list;
  std::string device = {};
  std::string verb = {};
  std::string text = {};
  std::string program = {};
};

/// Error (kind protocol) for a line that asks nothing sensible.
Result<Request> parse_request(std::string_view line);
/// The line, with its newline.
std::string request_line(const Request& request);

nlohmann::ordered_json to_json(const Error& error);
/// The error of an answer; kind protocol where it is no such object.
Error error_from(const nlohmann::json& object);

/// The words for the final states of a host end.
std::string word_of(usbredir::HostState state);
usbredir::HostState state_of(const std::string& word);

/// A line of JSON, whatever bytes its texts have.
std::string line_of(const nlohmann::ordered_json& object);

}  // namespace usbloop::desk
