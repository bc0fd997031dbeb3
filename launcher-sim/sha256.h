#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace usbloop::launcher {

/// SHA-256 of bytes that come piece by piece. For one thread.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// In lower-case hexadecimal. Once, at the end.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace usbloop::launcher
