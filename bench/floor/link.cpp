#include "bench/floor/link.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace usbloop::bench {
namespace {

/// Read at most at once from either side. Of 16 to 256 KiB this was the quickest, and a message of 128 KiB comes in one
/// read.
constexpr std::size_t kChunk = 256 * 1024;
/// Records have a head and a tag: 22 bytes for each 16 KiB; and a handshake's messages.
constexpr std::size_t kSealedRoom = kChunk + 16 * 1024;

}  // namespace

Scratch::Scratch() : raw(kChunk), plain(kChunk + 32 * 1024), sealed(kSealedRoom) {
  tls.output = sealed.data();
  tls.output_room = sealed.size();
}

Link::Link(Fd plain, Fd sealed, SslPtr ssl, Scratch& scratch)
    : plain_(std::move(plain)), sealed_(std::move(sealed)), ssl_(std::move(ssl)), scratch_(scratch) {}

unsigned Link::plain_interest() const {
  return (ready_ && to_sealed_.empty() ? EPOLLIN : 0U) | (to_plain_.empty() ? 0U : EPOLLOUT);
}

unsigned Link::sealed_interest() const {
  return (to_plain_.empty() ? EPOLLIN : 0U) | (to_sealed_.empty() ? 0U : EPOLLOUT);
}

bool Link::serve_plain() {
  if (!to_plain_.empty() && !send_kept(plain_.get(), to_plain_)) return false;
  if (!ready_ || !to_sealed_.empty()) return true;
  const ssize_t got = ::recv(plain_.get(), scratch_.plain.data(), kChunk, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  return got > 0 && seal(std::span(scratch_.plain).first(static_cast<std::size_t>(got)));
}

bool Link::serve_sealed() {
  if (!to_sealed_.empty() && !send_kept(sealed_.get(), to_sealed_)) return false;
  if (!to_plain_.empty()) return true;
  const ssize_t got = ::recv(sealed_.get(), scratch_.raw.data(), kChunk, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  return got > 0 && open(std::span(scratch_.raw).first(static_cast<std::size_t>(got)));
}

bool Link::shake_hands() {
  scratch_.tls.output_size = 0;
  const int done = SSL_do_handshake(ssl_.get());
  if (done != 1 && SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) return false;
  ready_ = done == 1;
  return send_or_keep(sealed_.get(), std::span(scratch_.sealed).first(scratch_.tls.output_size), to_sealed_);
}

bool Link::seal(std::span<const std::byte> bytes) {
  scratch_.tls.output_size = 0;
  const int size = static_cast<int>(bytes.size());
  if (SSL_write(ssl_.get(), bytes.data(), size) != size) return false;
  return send_or_keep(sealed_.get(), std::span(scratch_.sealed).first(scratch_.tls.output_size), to_sealed_);
}

/// Everything received is handed to libssl; it keeps the beginning of a record that is not whole.
bool Link::open(std::span<const std::byte> raw) {
  scratch_.tls.input = raw;
  if (!ready_ && !shake_hands()) return false;
  if (!ready_) return true;
  std::size_t size = 0;
  while (!scratch_.tls.input.empty() || SSL_pending(ssl_.get()) > 0) {
    const auto room = std::span(scratch_.plain).subspan(size);
    const int got = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
    if (got <= 0) {
      if (SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ) return false;
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  return send_or_keep(plain_.get(), std::span(scratch_.plain).first(size), to_plain_);
}

bool Link::send_or_keep(int fd, std::span<const std::byte> bytes, Bytes& kept) {
  if (bytes.empty()) return true;
  if (!kept.empty()) {
    kept.insert(kept.end(), bytes.begin(), bytes.end());
    return true;
  }
  const ssize_t put = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0 && errno != EAGAIN && errno != EINTR) return false;
  const auto sent = static_cast<std::size_t>(put < 0 ? 0 : put);
  if (sent < bytes.size()) kept.assign(bytes.begin() + static_cast<std::ptrdiff_t>(sent), bytes.end());
  return true;
}

bool Link::send_kept(int fd, Bytes& kept) {
  const ssize_t put = ::send(fd, kept.data(), kept.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0) return errno == EAGAIN || errno == EINTR;
  if (static_cast<std::size_t>(put) == kept.size()) {
    kept = {};
  } else {
    kept.erase(kept.begin(), kept.begin() + put);
  }
  return true;
}

}  // namespace usbloop::bench
