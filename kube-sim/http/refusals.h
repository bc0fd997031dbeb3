#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace usbloop::apiserver {

/// Why the front door ended a connection, or refused a request without looking at what it asks for.
enum class Refusal {
  connection_limit,    ///< as many connections are open as may be
  address_limit,       ///< as many from this address
  tls,                 ///< no TLS handshake, or none in time
  head_too_large,      ///< 431
  slow_head,           ///< a head that did not end in time
  idle,                ///< no request in time
  bad_request,         ///< 400: no HTTP, a broken target, contradicting lengths
  body_too_large,      ///< 413
  slow_body,           ///< a body that did not end in time
  bodies,              ///< 429: as many bodies are on their way as may be
  user_bodies,         ///< 429: as many of this user
  requests_in_flight,  ///< 429
  unread_responses,    ///< 429: clients leave too many bytes of responses unread
  watches,             ///< 429
  slow_reader,         ///< a response or an event that the client did not take in time
  last_
};

/// "connection_limit", …: the label in the metrics.
constexpr const char* name_of(Refusal refusal) {
  constexpr std::array<const char*, static_cast<std::size_t>(Refusal::last_)> kNames = {
      "connection_limit", "address_limit",  "tls",        "head_too_large", "slow_head",   "idle",
      "bad_request",      "body_too_large", "slow_body",  "bodies",         "user_bodies", "requests_in_flight",
      "unread_responses", "watches",        "slow_reader"};
  return kNames[static_cast<std::size_t>(refusal)];
}

/// How often each happened. Thread-safe.
class Refusals {
 public:
  void count(Refusal refusal) { ++counts_[static_cast<std::size_t>(refusal)]; }
  [[nodiscard]] std::uint64_t of(Refusal refusal) const { return counts_[static_cast<std::size_t>(refusal)]; }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Refusal::last_)> counts_{};
};

}  // namespace usbloop::apiserver
