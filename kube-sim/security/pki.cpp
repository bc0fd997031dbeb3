#include "kube-sim/security/pki.h"

#include <algorithm>

#include "common/log.h"
#include "kube-sim/request/files.h"
#include "kube-sim/security/x509.h"

namespace usbloop::apiserver {
namespace {

constexpr int kCaDays = 3650;
constexpr int kServerDays = 365;
constexpr int kRenewBeforeDays = 30;

/// A certificate and its key in two files.
class Pair {
 public:
  Pair(const std::string& directory, const std::string& name)
      : cert_path_(directory + "/" + name + ".crt"), key_path_(directory + "/" + name + ".key") {}

  CertificatePtr cert;
  KeyPtr key;

  [[nodiscard]] bool exists() const { return file_exists(cert_path_) && file_exists(key_path_); }
  [[nodiscard]] bool is_half() const { return file_exists(cert_path_) != file_exists(key_path_); }
  [[nodiscard]] const std::string& cert_path() const { return cert_path_; }

  Result<> load() {
    auto cert_pem = read_file(cert_path_);
    if (!cert_pem) return tl::unexpected(cert_pem.error());
    auto key_pem = read_file(key_path_);
    if (!key_pem) return tl::unexpected(key_pem.error());
    auto parsed_cert = parse_certificate(*cert_pem, cert_path_);
    if (!parsed_cert) return tl::unexpected(parsed_cert.error());
    auto parsed_key = parse_key(*key_pem, key_path_);
    if (!parsed_key) return tl::unexpected(parsed_key.error());
    cert = std::move(*parsed_cert);
    key = std::move(*parsed_key);
    if (!key_fits(*cert, *key)) {
      return make_error(ErrorKind::invalid, "use the certificate", cert_path_,
                        "its key in " + key_path_ + " is another", "Remove both files, and the server makes new ones.");
    }
    return {};
  }

  Result<> make(const CertificateRequest& request, const Pair* issuer) {
    auto made_key = new_key();
    if (!made_key) return tl::unexpected(made_key.error());
    key = std::move(*made_key);
    auto made = new_certificate(request, *key, issuer != nullptr ? issuer->cert.get() : nullptr,
                                issuer != nullptr ? *issuer->key : *key);
    if (!made) return tl::unexpected(made.error());
    cert = std::move(*made);
    // The key first: a certificate without its key would be taken for a broken pair at the next start.
    if (auto written = write_file(key_path_, to_pem(*key), 0600); !written) return written;
    return write_file(cert_path_, to_pem(*cert), 0600);
  }

 private:
  std::string cert_path_;
  std::string key_path_;
};

Result<> load_or_make_ca(Pair& ca) {
  if (ca.exists()) return ca.load();
  if (ca.is_half() && file_exists(ca.cert_path())) {
    return make_error(ErrorKind::invalid, "use the certificate authority", ca.cert_path(), "its key is missing",
                      "Put the key back, or remove the certificate to start with a new authority.");
  }
  spdlog::info("making a certificate authority: {}", ca.cert_path());
  return ca.make({.common_name = "kubernetes", .is_ca = true, .days = kCaDays}, nullptr);
}

bool is_usable(const Pair& server, const Pair& ca, const std::vector<std::string>& names) {
  return is_signed_by(*server.cert, *ca.cert) && is_current(*server.cert, kRenewBeforeDays) &&
         std::all_of(names.begin(), names.end(), [&](const std::string& name) { return has_name(*server.cert, name); });
}

}  // namespace

Result<Pki> load_or_make_pki(const std::string& directory, const std::vector<std::string>& names) {
  if (auto made = make_directories(directory); !made) return tl::unexpected(made.error());
  std::vector<std::string> all_names = {"localhost", "kubernetes", "kubernetes.default", "127.0.0.1", "::1"};
  all_names.insert(all_names.end(), names.begin(), names.end());
  Pair ca(directory, "ca");
  if (auto ready = load_or_make_ca(ca); !ready) return tl::unexpected(ready.error());
  Pair server(directory, "server");
  if (server.exists()) {
    if (auto loaded = server.load(); !loaded) return tl::unexpected(loaded.error());
  }
  if (!server.cert || !is_usable(server, ca, all_names)) {
    spdlog::info("making a server certificate: {}", server.cert_path());
    const CertificateRequest request{
        .common_name = "kube-apiserver", .for_server = true, .names = all_names, .days = kServerDays};
    if (auto made = server.make(request, &ca); !made) return tl::unexpected(made.error());
  }
  return Pki{to_pem(*ca.cert), to_pem(*ca.key), to_pem(*server.cert), to_pem(*server.key)};
}

}  // namespace usbloop::apiserver
