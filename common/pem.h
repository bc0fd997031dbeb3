#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

// Certificates and keys out of PEM text, with libcrypto. What uses this links OpenSSL::Crypto.
namespace usbloop::pem {

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyDeleter>;

/// Reads `text`, which must outlive it.
inline BioPtr reader(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Answers "no" to the question for a pass phrase; without it libcrypto asks the terminal.
inline int no_pass_phrase(char*, int, int, void*) { return -1; }

/// The next certificate; null at the end of the text, which is an error in libcrypto's queue, or when it is broken.
inline CertificatePtr next_certificate(BIO* bio) {
  return CertificatePtr(PEM_read_bio_X509(bio, nullptr, no_pass_phrase, nullptr));
}

/// The first private key; null when there is none, or when it is encrypted.
inline KeyPtr private_key(const std::string& text) {
  return KeyPtr(PEM_read_bio_PrivateKey(reader(text).get(), nullptr, no_pass_phrase, nullptr));
}

}  // namespace usbloop::pem
