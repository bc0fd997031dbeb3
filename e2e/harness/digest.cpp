#include "e2e/harness/digest.h"

#include <openssl/evp.h>

#include <array>

#include "common/kube/encoding.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {
namespace {

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), value.data(), &size, kind, nullptr) != 1) throw Failure("EVP_Digest");
  return {reinterpret_cast<const char*>(value.data()), size};
}

}  // namespace

std::string sha256_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : digest(EVP_sha256(), bytes)) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

std::string sha256_of_file(const std::filesystem::path& file) { return sha256_of(read_file(file)); }

std::string websocket_accept(const std::string& key) {
  const std::string hash = digest(EVP_sha1(), key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  return kube::base64_encode(hash);
}

}  // namespace usbloop::e2e
