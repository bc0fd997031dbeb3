#include "common/net/tls_transport.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "common/net/tls_error.h"

namespace usbloop::net {

/// The functions of a BIO whose data is a TlsTransport.
struct TlsTransportCallbacks {
  static TlsTransport& of(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* data, int size) {
    return of(bio).read(bio, std::as_writable_bytes(std::span(data, static_cast<std::size_t>(size))));
  }

  static int write(BIO* bio, const char* data, int size) {
    return of(bio).write(bio, std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
  }

  static long control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH: return 1;  // the stream flushes when libssl has returned
      case BIO_CTRL_EOF: return of(bio).at_end_ ? 1 : 0;
      default: return 0;
    }
  }

  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      if (fresh == nullptr) return fresh;
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

Result<> TlsTransport::attach(SSL* ssl) {
  const BIO_METHOD* method = TlsTransportCallbacks::method();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return tls_error("set up", "TLS");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);  // owns it now
  return {};
}

IoResult TlsTransport::flush() {
  head_sent_ = false;
  return send_gathered();
}

IoResult TlsTransport::send_gathered() {
  while (begin_ < end_) {
    const IoResult put = plain_->try_write(gathered_.bytes().subspan(begin_, end_ - begin_));
    if (put.status != IoStatus::ok) {
      if (put.status == IoStatus::failed) error_number_ = put.error_number;
      return put;
    }
    begin_ += put.bytes;
  }
  begin_ = end_ = 0;
  gathered_.release();
  return {};
}

bool TlsTransport::take_drained() {
  // The plain stream knows it too, and says so once: without a system call.
  return std::exchange(drained_, false) && plain_->try_read({}).status == IoStatus::want_read;
}

IoResult TlsTransport::receive() {
  if (!input_) input_ = Buffer(Buffer::kUsualSize);
  const IoResult got = plain_->try_read(input_.bytes());
  drained_ = got.status == IoStatus::ok && got.bytes < input_.bytes().size();
  input_begin_ = 0;
  input_end_ = got.status == IoStatus::ok ? got.bytes : 0;
  if (!holds_input()) input_.release();
  return got;
}

int TlsTransport::read(BIO* bio, std::span<std::byte> buffer) {
  BIO_clear_retry_flags(bio);
  if (!holds_input()) {
    const IoResult got = reading_allowed_ ? receive() : IoResult{IoStatus::want_read, 0, 0};
    switch (got.status) {
      case IoStatus::ok: break;
      case IoStatus::end: at_end_ = true; return 0;
      case IoStatus::failed: error_number_ = got.error_number; return -1;
      default: BIO_set_retry_read(bio); return -1;
    }
  }
  const auto held = input_.bytes().subspan(input_begin_, input_end_ - input_begin_);
  const auto taken = held.first(std::min(held.size(), buffer.size()));
  std::copy(taken.begin(), taken.end(), buffer.begin());
  input_begin_ += taken.size();
  if (!holds_input()) input_.release();
  return static_cast<int>(taken.size());
}

int TlsTransport::write(BIO* bio, std::span<const std::byte> bytes) {
  BIO_clear_retry_flags(bio);
  if (error_number_ != 0) return -1;
  if (!gathered_) gathered_ = Buffer(Buffer::kUsualSize);
  const auto room = gathered_.bytes().subspan(end_);
  if (bytes.size() > room.size()) {
    if (send_gathered().status == IoStatus::ok)
      return write(bio, bytes.first(std::min(bytes.size(), Buffer::kUsualSize)));
    if (error_number_ == 0) BIO_set_retry_write(bio);
    return -1;
  }
  std::copy(bytes.begin(), bytes.end(), room.begin());
  end_ += bytes.size();
  if (!head_sent_ && end_ >= kHead) {
    head_sent_ = true;
    send_gathered();  // what it cannot send now, or why it failed, is for flush() to find
  }
  return static_cast<int>(bytes.size());
}

}  // namespace usbloop::net
