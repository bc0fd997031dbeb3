#include "kube-sim/security/service_account_tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/kube/encoding.h"
#include "common/kube/uuid.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/request/files.h"
#include "kube-sim/resources/config.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kLongestToken = 16 * 1024;

std::string base64url(std::string_view bytes) {
  std::string text = kube::base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::optional<std::string> from_base64url(std::string_view url) {
  std::string text(url);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return kube::base64_decode(text);
}

const std::string& token_head() {
  static const std::string kHead = base64url(R"({"alg":"HS256","typ":"JWT"})");
  return kHead;
}

bool is_for_us(const json& claims) {
  const json audiences = claims.value("aud", json());
  return audiences == kApiAudience ||
         (audiences.is_array() && std::find(audiences.begin(), audiences.end(), kApiAudience) != audiences.end());
}

}  // namespace

std::string ServiceAccountTokens::signature_of(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), bytes.data(), &size);
  return {bytes.begin(), bytes.begin() + size};
}

std::string ServiceAccountTokens::issue(const Account& account, const std::vector<std::string>& audiences,
                                        std::int64_t now, std::int64_t expires) const {
  const json claims = {
      {"aud", audiences},
      {"exp", expires},
      {"iat", now},
      {"iss", kApiAudience},
      {"jti", kube::random_uuid()},
      {"kubernetes.io",
       {{"namespace", account.namespace_}, {"serviceaccount", {{"name", account.name}, {"uid", account.uid}}}}},
      {"nbf", now},
      {"sub", "system:serviceaccount:" + account.namespace_ + ":" + account.name}};
  const std::string text = token_head() + "." + base64url(claims.dump());
  return text + "." + base64url(signature_of(text));
}

std::optional<User> ServiceAccountTokens::user_of(std::string_view token, std::int64_t now) const {
  if (token.size() > kLongestToken || !token.starts_with(token_head() + ".")) return std::nullopt;
  const auto last = token.rfind('.');
  const auto signature = from_base64url(token.substr(last + 1));
  const std::string wanted = signature_of(token.substr(0, last));
  if (!signature || signature->size() != wanted.size() ||
      CRYPTO_memcmp(signature->data(), wanted.data(), wanted.size()) != 0) {
    return std::nullopt;
  }
  // Ours from here on.
  const std::size_t begin = token_head().size() + 1;
  const auto text = from_base64url(token.substr(begin, last - begin));
  const json claims = text ? json::parse(*text, nullptr, false) : json();
  if (!claims.is_object() || !is_for_us(claims) || int64_of(claims.value("exp", json()), 0) <= now) return std::nullopt;
  const std::string ns = text_at(claims, "/kubernetes.io/namespace");
  const std::string name = text_at(claims, "/kubernetes.io/serviceaccount/name");
  const ObjectPtr account = store_.get({kServiceAccountResource, ns, name});
  if (!account || account->uid != text_at(claims, "/kubernetes.io/serviceaccount/uid")) return std::nullopt;
  return User{"system:serviceaccount:" + ns + ":" + name,
              account->uid,
              {"system:serviceaccounts", "system:serviceaccounts:" + ns}};
}

Result<std::string> load_or_make_token_key(const std::string& path) {
  if (!file_exists(path)) {
    std::array<unsigned char, kKeyBytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
      return make_error(ErrorKind::internal, "make the key of the service accounts' tokens", path, "no random bytes");
    }
    const std::string text = kube::base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + "\n";
    if (auto written = write_file(path, text, 0600); !written) return tl::unexpected(written.error());
  }
  auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  while (text->ends_with('\n')) text->pop_back();
  auto key = kube::base64_decode(*text);
  if (key && key->size() >= kKeyBytes) return std::move(*key);
  return make_error(ErrorKind::invalid, "read the key of the service accounts' tokens", path,
                    "it is no base64 of 32 bytes or more");
}

}  // namespace usbloop::apiserver
