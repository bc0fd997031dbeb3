#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/pem.h"

// Certificates by OpenSSL, behind handles that free themselves.
namespace usbloop::apiserver {

using pem::CertificatePtr;
using pem::KeyPtr;

Result<KeyPtr> new_key();
Result<CertificatePtr> parse_certificate(const std::string& text, const std::string& path);
Result<KeyPtr> parse_key(const std::string& text, const std::string& path);
std::string to_pem(const X509& certificate);
std::string to_pem(const EVP_PKEY& key);

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> organizations = {};
  bool is_ca = false;
  bool for_server = false;              ///< else for a client; without meaning for a CA
  std::vector<std::string> names = {};  ///< subject alternative names: DNS names or IP addresses
  int days = 3650;
};
/// Signed by `issuer_key`; `issuer` null: self-signed.
Result<CertificatePtr> new_certificate(const CertificateRequest& request, const EVP_PKEY& key, const X509* issuer,
                                       const EVP_PKEY& issuer_key);

bool key_fits(const X509& certificate, const EVP_PKEY& key);
bool is_signed_by(const X509& certificate, const X509& issuer);
/// Valid now and for the next `days` days.
bool is_current(const X509& certificate, int days);
bool has_name(const X509& certificate, const std::string& name);

}  // namespace usbloop::apiserver
