#include "e2e/harness/digest.h"

#include <openssl/evp.h>

#include <array>

#include "common/digest.h"
#include "common/kube/encoding.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {

std::string sha256_of(std::string_view bytes) { return hexadecimal(sha256(bytes)); }

std::string sha256_of_file(const std::filesystem::path& file) { return sha256_of(read_file(file)); }

std::string websocket_accept(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha1(), nullptr) != 1) throw Failure("EVP_Digest");
  return kube::base64_encode({reinterpret_cast<const char*>(hash.data()), size});
}

}  // namespace usbloop::e2e
