#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace usbloop {

/// SHA-256 of bytes that come piece by piece. For one thread. Throws std::runtime_error when OpenSSL refuses.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// The 32 bytes. Once, at the end.
  std::string bytes();
  /// In lower-case hexadecimal. Once, at the end.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// The 32 bytes of a text's SHA-256, and the 64 of its SHA-512.
std::string sha256(std::string_view text);
std::string sha512(std::string_view text);

/// Two digits for each byte, in lower case.
std::string hexadecimal(std::string_view bytes);

}  // namespace usbloop
