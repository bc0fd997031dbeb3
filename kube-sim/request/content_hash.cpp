#include "kube-sim/request/content_hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

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
  const std::size_t size = std::min(bytes, hash.size());
  std::string encoded(4 * ((size + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(hash.data()), static_cast<int>(size));
  encoded.resize(static_cast<std::size_t>(length));
  return encoded;
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
