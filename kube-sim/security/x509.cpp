#include "kube-sim/security/x509.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <ctime>

namespace usbloop::apiserver {
namespace {

using pem::BioPtr;

tl::unexpected<Error> openssl_error(const std::string& operation, const std::string& object) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return make_error(ErrorKind::internal, operation, object, reason != nullptr ? reason : "OpenSSL failed");
}

std::string content(BIO* bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio, &bytes);
  return length > 0 ? std::string(bytes, static_cast<std::size_t>(length)) : std::string();
}

bool is_address(const std::string& name) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  if (address == nullptr) ERR_clear_error();
  return address != nullptr;
}

bool add_extension(X509* certificate, const X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool add_name_entry(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

/// "DNS:a,IP:b". Values come from the command line: a comma in one would add fields.
std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += (is_address(name) ? "IP:" : "DNS:") + name;
  }
  return text;
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1U) == 1;
}

bool fill_in(X509* certificate, const CertificateRequest& request, const EVP_PKEY& key, const X509* issuer) {
  constexpr long kClockSkewSeconds = 3600;
  X509_set_version(certificate, X509_VERSION_3);
  X509_NAME* subject = X509_get_subject_name(certificate);
  bool fine = set_serial(certificate) && add_name_entry(subject, "CN", request.common_name);
  for (const std::string& organization : request.organizations) {
    fine = fine && add_name_entry(subject, "O", organization);
  }
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kClockSkewSeconds);
  X509_time_adj_ex(X509_getm_notAfter(certificate), request.days, 0, nullptr);
  return fine && X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         X509_set_pubkey(certificate, const_cast<EVP_PKEY*>(&key)) == 1;
}

bool add_extensions(X509* certificate, const CertificateRequest& request, const X509* issuer) {
  if (request.is_ca) {
    return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  }
  bool fine = add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
              add_extension(certificate, issuer, NID_ext_key_usage, request.for_server ? "serverAuth" : "clientAuth") &&
              add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
  if (!request.names.empty()) {
    fine = fine && add_extension(certificate, issuer, NID_subject_alt_name, alternative_names(request.names));
  }
  return fine;
}

}  // namespace

Result<KeyPtr> new_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("make", "a key");
  return key;
}

Result<CertificatePtr> parse_certificate(const std::string& text, const std::string& path) {
  auto certificate = pem::next_certificate(pem::reader(text).get());
  if (certificate) return certificate;
  ERR_clear_error();
  return make_error(ErrorKind::invalid, "read the certificate", path, "not a PEM certificate",
                    "Remove the file, and the server makes a new one.");
}

Result<KeyPtr> parse_key(const std::string& text, const std::string& path) {
  auto key = pem::private_key(text);
  if (key) return key;
  ERR_clear_error();
  return make_error(ErrorKind::invalid, "read the private key", path, "not an unencrypted PEM key",
                    "Remove the file and its certificate, and the server makes new ones.");
}

std::string to_pem(const X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), const_cast<X509*>(&certificate));
  return content(bio.get());
}

std::string to_pem(const EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), const_cast<EVP_PKEY*>(&key), nullptr, nullptr, 0, nullptr, nullptr);
  return content(bio.get());
}

Result<CertificatePtr> new_certificate(const CertificateRequest& request, const EVP_PKEY& key, const X509* issuer,
                                       const EVP_PKEY& issuer_key) {
  for (const std::string& name : request.names) {
    if (name.empty() || name.find_first_of(",\n:") != std::string::npos) {
      if (!is_address(name)) {
        return make_error(ErrorKind::invalid, "make a certificate for", name, "not a host name or an address");
      }
    }
  }
  CertificatePtr certificate(X509_new());
  const X509* signer = issuer != nullptr ? issuer : certificate.get();
  if (!certificate || !fill_in(certificate.get(), request, key, signer) ||
      !add_extensions(certificate.get(), request, signer) ||
      X509_sign(certificate.get(), const_cast<EVP_PKEY*>(&issuer_key), EVP_sha256()) == 0) {
    return openssl_error("make a certificate for", request.common_name);
  }
  return certificate;
}

bool key_fits(const X509& certificate, const EVP_PKEY& key) {
  const bool fits = X509_check_private_key(&certificate, &key) == 1;
  if (!fits) ERR_clear_error();
  return fits;
}

bool is_signed_by(const X509& certificate, const X509& issuer) {
  const bool fine = X509_verify(const_cast<X509*>(&certificate), X509_get0_pubkey(&issuer)) == 1;
  if (!fine) ERR_clear_error();
  return fine;
}

bool is_current(const X509& certificate, int days) {
  std::time_t later = std::time(nullptr) + static_cast<std::time_t>(days) * 24 * 3600;
  return X509_cmp_current_time(X509_get0_notBefore(&certificate)) < 0 &&
         X509_cmp_time(X509_get0_notAfter(&certificate), &later) > 0;
}

bool has_name(const X509& certificate, const std::string& name) {
  auto* subject = const_cast<X509*>(&certificate);
  if (is_address(name)) return X509_check_ip_asc(subject, name.c_str(), 0) == 1;
  return X509_check_host(subject, name.c_str(), name.size(), 0, nullptr) == 1;
}

}  // namespace usbloop::apiserver
