#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "common/net/deadline.h"
#include "common/net/tls.h"
#include "common/net/tls_error.h"
#include "common/net/tls_transport.h"

namespace usbloop::net {
namespace {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

int clamp_to_int(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

/// SSL_get_error() needs an empty queue, and it nearly always is. Asking costs a tenth of clearing.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

class TlsStream final : public Stream {
 public:
  TlsStream(SslPtr ssl, StreamPtr plain) : transport_(std::move(plain)), ssl_(std::move(ssl)) {}

  Result<> attach() { return transport_.attach(ssl_.get()); }

  /// Takes as many records as one read of the socket has brought and `buffer` has room for.
  IoResult try_read(std::span<std::byte> buffer) override {
    if (!socket().is_open()) return {IoStatus::failed, 0, EBADF};
    if (final_.status != IoStatus::ok) return final_;
    // libssl would come to the same answer, at the price of a buffer and thousands of instructions.
    if (!has_more() && transport_.take_drained()) return {IoStatus::want_read, 0, 0};
    if (buffer.empty()) return {};  // a stream above asks whether there is nothing; libssl is not asked for 0 bytes
    IoResult result = read_record(buffer);
    if (result.status != IoStatus::ok) return result;
    transport_.allow_reading(false);
    while (result.bytes < buffer.size() && has_more()) {
      const IoResult more = read_record(buffer.subspan(result.bytes));
      if (more.status == IoStatus::end || more.status == IoStatus::failed) final_ = more;
      if (more.status != IoStatus::ok) break;
      result.bytes += more.bytes;
    }
    transport_.allow_reading(true);
    transport_.flush();  // what libssl answers by itself
    return result;
  }

  IoResult try_write(std::span<const std::byte> bytes) override {
    if (!socket().is_open()) return {IoStatus::failed, 0, EBADF};
    // The retry of a write whose records have not all left: libssl has its bytes already.
    if (accepted_ == 0) {
      forget_errors();
      const int count = SSL_write(ssl_.get(), bytes.data(), clamp_to_int(std::min(bytes.size(), kMostAtOnce)));
      if (count <= 0) return failure(count);
      accepted_ = static_cast<std::size_t>(count);
    }
    const IoResult flushed = transport_.flush();
    if (flushed.status != IoStatus::ok) return flushed;
    return {IoStatus::ok, std::exchange(accepted_, 0), 0};
  }

  void shutdown_write() override {
    if (!socket().is_open()) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // best effort: a full socket loses the close_notify, the FIN below says the same
    transport_.flush();
    transport_.plain().shutdown_write();
  }

  Socket& socket() override { return transport_.plain().socket(); }

  /// One step of the handshake: ok, want_read, want_write or failed.
  IoResult handshake() {
    if (!socket().is_open()) return {IoStatus::failed, 0, EBADF};
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const IoResult result = done == 1 ? IoResult{} : failure(done);
    const IoResult flushed = transport_.flush();  // also an alert that says what is wrong
    return flushed.status == IoStatus::want_write ? flushed : result;
  }

  [[nodiscard]] const SSL* ssl() const { return ssl_.get(); }

 private:
  /// Plaintext of one write: with its records it fits the transport's buffer.
  static constexpr std::size_t kMostAtOnce = Buffer::kPayload + 1024;

  /// Whether bytes have been received that are not read yet, if only the beginning of a record.
  [[nodiscard]] bool has_more() const { return transport_.holds_input() || SSL_has_pending(ssl_.get()) == 1; }

  IoResult read_record(std::span<std::byte> buffer) {
    forget_errors();
    const int count = SSL_read(ssl_.get(), buffer.data(), clamp_to_int(buffer.size()));
    return count > 0 ? IoResult{IoStatus::ok, static_cast<std::size_t>(count), 0} : failure(count);
  }

  IoResult failure(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return {IoStatus::want_read, 0, 0};
      case SSL_ERROR_WANT_WRITE: return {IoStatus::want_write, 0, 0};
      case SSL_ERROR_ZERO_RETURN: return {IoStatus::end, 0, 0};
      case SSL_ERROR_SYSCALL: {
        const int number = transport_.error_number();
        return {IoStatus::failed, 0, number == 0 ? ECONNRESET : number};
      }
      default: return {IoStatus::failed, 0, 0};
    }
  }

  TlsTransport transport_;
  SslPtr ssl_;                ///< after transport_: it is freed first
  IoResult final_;            ///< an end or a failure that came behind bytes, for the next read
  std::size_t accepted_ = 0;  ///< bytes of the caller that libssl has taken and the socket has not
};

/// Names the failure of a handshake: what the certificate's verification said, or libssl's own word.
tl::unexpected<Error> handshake_error(const TlsStream& stream, const IoResult& result) {
  const char* operation = "agree on TLS with";
  const long verified = SSL_get_verify_result(stream.ssl());
  if (verified != X509_V_OK) {
    return make_error(ErrorKind::denied, operation, "the peer",
                      std::string("certificate not trusted: ") + X509_verify_cert_error_string(verified));
  }
  if (result.status == IoStatus::end) {
    return make_error(ErrorKind::unavailable, operation, "the peer", "it closed the connection");
  }
  if (result.error_number != 0) return make_errno_error(operation, "the peer", result.error_number);
  return tls_error(operation, "the peer");
}

asio::awaitable<Result<StreamPtr>> shake_hands(std::unique_ptr<TlsStream> stream, std::chrono::milliseconds timeout) {
  const Deadline deadline(stream->socket().get_executor(), timeout, [raw = stream.get()] { raw->close(); });
  while (true) {
    const IoResult result = stream->handshake();
    if (result.status == IoStatus::ok) co_return StreamPtr(std::move(stream));
    if (result.status != IoStatus::want_read && result.status != IoStatus::want_write) {
      co_return handshake_error(*stream, result);
    }
    if (auto ready = co_await stream->wait(result.status); !ready) {
      if (deadline.expired()) {
        co_return make_error(ErrorKind::timeout, "agree on TLS with", "the peer", "no answer in time");
      }
      co_return tl::unexpected(ready.error());
    }
  }
}

Result<std::unique_ptr<TlsStream>> new_stream(const TlsContext& context, StreamPtr plain) {
  SslPtr ssl(SSL_new(context.get()));
  if (!ssl) return tls_error("set up", "TLS");
  auto stream = std::make_unique<TlsStream>(std::move(ssl), std::move(plain));
  if (auto attached = stream->attach(); !attached) return tl::unexpected(attached.error());
  return stream;
}

/// Tells libssl which name the certificate must carry. IP addresses are compared with IP SANs and not sent as SNI.
void expect_name(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1) return;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl, name.c_str());
  SSL_set_tlsext_host_name(ssl, name.c_str());
}

std::vector<std::string> subject_values(const X509_NAME* subject, int nid) {
  std::vector<std::string> values;
  for (int at = X509_NAME_get_index_by_NID(subject, nid, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(subject, nid, at)) {
    unsigned char* text = nullptr;
    const int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length < 0) continue;
    values.emplace_back(reinterpret_cast<char*>(text), static_cast<std::size_t>(length));
    OPENSSL_free(text);
  }
  return values;
}

}  // namespace

tl::unexpected<Error> tls_error(const char* operation, const char* object, ErrorKind kind) {
  std::array<char, 256> text{};
  const unsigned long code = ERR_peek_last_error();
  ERR_error_string_n(code, text.data(), text.size());
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return make_error(kind, operation, object, reason != nullptr ? reason : text.data());
}

asio::awaitable<Result<StreamPtr>> tls_accept(const TlsContext& context, StreamPtr stream,
                                              std::chrono::milliseconds timeout) {
  auto tls = new_stream(context, std::move(stream));
  if (!tls) co_return tl::unexpected(tls.error());
  SSL_set_accept_state(const_cast<SSL*>((*tls)->ssl()));
  co_return co_await shake_hands(std::move(*tls), timeout);
}

asio::awaitable<Result<StreamPtr>> tls_connect(const TlsContext& context, StreamPtr stream, std::string server_name,
                                               std::chrono::milliseconds timeout) {
  auto tls = new_stream(context, std::move(stream));
  if (!tls) co_return tl::unexpected(tls.error());
  SSL* ssl = const_cast<SSL*>((*tls)->ssl());
  SSL_set_connect_state(ssl);
  expect_name(ssl, server_name);
  co_return co_await shake_hands(std::move(*tls), timeout);
}

PeerIdentity peer_identity(const Stream& stream) {
  const auto* tls = dynamic_cast<const TlsStream*>(&stream);
  if (tls == nullptr || SSL_get_verify_result(tls->ssl()) != X509_V_OK) return {};
  const X509* certificate = SSL_get0_peer_certificate(tls->ssl());
  if (certificate == nullptr) return {};
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const auto names = subject_values(subject, NID_commonName);
  return {names.empty() ? std::string{} : names.front(), subject_values(subject, NID_organizationName)};
}

}  // namespace usbloop::net
