#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kube-sim/request/http_types.h"

// HTTP/1.1 as the front door writes it: answers with a known length and the chunks of a watch.
namespace usbloop::apiserver {

/// How an answer goes out.
struct AnswerForm {
  std::string audit_id = {};  ///< for the header Audit-Id; empty: none
  bool keep_alive = true;     ///< whether the connection goes on after the answer, which says so when it does not
  bool only_head = false;     ///< HEAD: the length is told, and no body comes
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< further ones
};

/// A whole response, its header lines in the order of their names, as Go's net/http writes them. The head goes in front
/// of the body where that stands: a long list is not copied into memory that is new to the process.
std::string response_text(Response response, const AnswerForm& form);

/// The head of a chunked response; the connection closes after it.
std::string chunked_head(const std::string& content_type, const AnswerForm& form);
/// One chunk; must not be empty.
std::string chunk(const std::string& data);
/// Ends a chunked body.
inline constexpr const char* kLastChunk = "0\r\n\r\n";

}  // namespace usbloop::apiserver
