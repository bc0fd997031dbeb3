#include "kube-sim/request/content_hash.h"

#include <openssl/evp.h>

#include <array>

#include "common/kube/encoding.h"

namespace usbloop::apiserver {
namespace {

/// Empty when the library refuses. Clients then have no hash, and nothing worse happens.
std::string digest(const EVP_MD* algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), bytes.data(), &size, algorithm, nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

std::string content_hash(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string hex;
  for (const char c : digest(EVP_sha512(), text)) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::string base64_of_sha256(std::string_view text, std::size_t bytes) {
  const std::string hash = digest(EVP_sha256(), text);
  return kube::base64_encode(std::string_view(hash).substr(0, bytes));
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
