#include "common/digest.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace usbloop {
namespace {

[[noreturn]] void refuse() { throw std::runtime_error("OpenSSL computes no digest"); }

std::string text_of(const std::array<unsigned char, EVP_MAX_MD_SIZE>& bytes, unsigned int size) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) refuse();
}

void Sha256::add(std::string_view bytes) {
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) refuse();
}

std::string Sha256::bytes() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) refuse();
  return text_of(digest, size);
}

std::string Sha256::hex() { return hexadecimal(bytes()); }

std::string sha256(std::string_view text) {
  Sha256 sum;
  sum.add(text);
  return sum.bytes();
}

std::string sha512(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha512(), nullptr) != 1) refuse();
  return text_of(digest, size);
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4U];
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

}  // namespace usbloop
