#include "kube-sim/request/content_hash.h"

#include <algorithm>

#include "common/digest.h"
#include "common/kube/encoding.h"

namespace usbloop::apiserver {

std::string content_hash(std::string_view text) {
  std::string hex = hexadecimal(sha512(text));
  std::transform(hex.begin(), hex.end(), hex.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return hex;
}

std::string base64_of_sha256(std::string_view text, std::size_t bytes) {
  return kube::base64_encode(std::string_view(sha256(text)).substr(0, bytes));
}

void settle_etag(const Request& request, Response& response) {
  const std::string tag = "\"" + content_hash(response.body) + "\"";
  response.headers.emplace_back("ETag", tag);
  if (request.if_none_match.find(tag) == std::string::npos) return;
  response.code = 304;
  response.body.clear();
  response.content_type.clear();
}

}  // namespace usbloop::apiserver
