#include "bench/peer/connection.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "bench/sockets.h"

namespace usbloop::bench {
namespace {

constexpr std::size_t kReadAtMost = 256 * 1024;
constexpr std::size_t kInput = kLongestPacket + kReadAtMost;
constexpr std::size_t kRoom = kInput + kLongestPacket;
constexpr int kTurns = 16;

}  // namespace

PeerConnection::PeerConnection(Fd socket) : socket_(std::move(socket)) {
  void* room = ::mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) give_up("mmap");
  room_ = static_cast<std::byte*>(room);
  put_hello(room_ + kInput, "qemu usb-redir guest 7.2.22", kQemuCaps);
  out_ = room_ + kInput;
  out_end_ = kHelloBytes;
}

PeerConnection::~PeerConnection() { ::munmap(room_, kRoom); }

bool PeerConnection::serve() {
  for (int turn = 0; turn < kTurns; ++turn) {
    if (wants_to_write()) {
      bool blocked = false;
      if (!flush(blocked)) return false;
      if (blocked) return true;
      continue;
    }
    if (!take_packets()) return false;
    if (wants_to_write()) continue;
    bool drained = false;
    if (!read_some(drained)) return false;
    if (drained && end_ == begin_) return true;
    if (!take_packets()) return false;
    if (drained && !wants_to_write()) return true;
  }
  return true;
}

/// `drained`: less came than there was room for, so nothing more is there.
bool PeerConnection::read_some(bool& drained) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ > 0) {
    std::memmove(room_, room_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t room = std::min(kReadAtMost, kInput - end_);
  const ssize_t got = ::recv(socket_.get(), room_ + end_, room, MSG_DONTWAIT);
  if (got < 0) {
    drained = true;
    return errno == EAGAIN || errno == EINTR;
  }
  end_ += static_cast<std::size_t>(got);
  drained = static_cast<std::size_t>(got) < room;
  return got > 0;
}

/// Takes packets until one is to be answered or none is whole. False: that is no stream of the bench's.
bool PeerConnection::take_packets() {
  while (!wants_to_write()) {
    const std::size_t have = end_ - begin_;
    if (skip_ > 0) {
      const std::size_t dropped = std::min(skip_, have);
      begin_ += dropped;
      skip_ -= dropped;
      if (skip_ > 0) return true;
      if (std::exchange(acknowledge_, false)) answer(kShortPacket, nullptr);
      continue;
    }
    if (!hello_seen_) {
      if (have < kHelloBytes) return true;
      hello_seen_ = true;
      begin_ += kHelloBytes;
      continue;
    }
    if (have < kPacketHead) return true;
    const PacketHead head = read_packet_head(room_ + begin_);
    if (head.size > kLongestPacket || head.size < kPacketHead) return false;
    if (head.id.order == Order::sink || head.id.order == Order::sink_ack) {
      skip_ = head.size;
      acknowledge_ = head.id.order == Order::sink_ack;
      continue;
    }
    if (have < head.size) return true;
    if (head.id.order == Order::echo) {
      answer(head.size, room_ + begin_);
    } else {
      source_left_ = head.id.count;
      source_size_ = std::clamp<std::uint32_t>(head.id.size, kPacketHead, kLongestPacket);
      put_packet_head(room_ + kInput, source_size_, kToDevice, {});
    }
    begin_ += head.size;
  }
  return true;
}

/// `from`: a whole packet in room_ to send back as it is but for its direction; null: a new one.
void PeerConnection::answer(std::size_t size, const std::byte* from) {
  out_ = from == nullptr ? room_ + kInput : from;
  put_packet_head(from == nullptr ? room_ + kInput : room_ + begin_, size, kToDevice, {});
  out_begin_ = 0;
  out_end_ = size;
}

bool PeerConnection::flush(bool& blocked) {
  if (out_begin_ == out_end_) {
    --source_left_;
    out_ = room_ + kInput;
    out_begin_ = 0;
    out_end_ = source_size_;
  }
  const ssize_t put = ::send(socket_.get(), out_ + out_begin_, out_end_ - out_begin_, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0) {
    blocked = errno == EAGAIN || errno == EINTR;
    return blocked;
  }
  out_begin_ += static_cast<std::size_t>(put);
  return true;
}

}  // namespace usbloop::bench
