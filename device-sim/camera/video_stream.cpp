#include "device-sim/camera/video_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace usbloop::device_sim {
namespace {

constexpr std::byte kEndOfHeader{0x80}, kEndOfPicture{0x02}, kFrameId{0x01};

}  // namespace

void VideoStream::start(std::unique_ptr<PictureSource> source, std::uint32_t interval, Time now) {
  stop();
  now_ = now;
  picture_.emplace(
      Picture{std::move(source), {}, std::chrono::nanoseconds(std::int64_t{interval} * 100), now, now, 0, 0});
}

void VideoStream::stop() {
  picture_.reset();
  header_left_ = data_left_ = 0;
  owes_end_ = false;
}

std::optional<Time> VideoStream::due() const {
  const bool waits = picture_ && picture_->at == picture_->bytes.size() && picture_->next > now_;
  return waits ? std::optional(picture_->next) : std::nullopt;
}

Result<> VideoStream::make(Picture& picture) const {
  const auto since_start = std::chrono::duration_cast<std::chrono::milliseconds>(now_ - picture.start);
  const auto milliseconds = static_cast<std::uint32_t>(since_start.count());
  return picture.source->make(picture.number++, milliseconds, tone_, picture.bytes);
}

bool VideoStream::begin_picture() {
  Picture& picture = *picture_;
  if (now_ < picture.next) return false;
  picture.next += picture.interval * (1 + (now_ - picture.next) / picture.interval);
  if (const auto made = make(picture); !made) {  // there is no such picture, and its number is missing
    errors_.report(made.error().message());
    picture.at = picture.bytes.size();
    return false;
  }
  picture.at = 0;
  picture.toggle = !picture.toggle;
  return true;
}

/// False when no picture is due.
bool VideoStream::begin_payload(std::size_t longest) {
  if (!picture_) return false;
  Picture& picture = *picture_;
  if (picture.at == picture.bytes.size() && !begin_picture()) return false;
  data_left_ = std::min(longest - kPayloadHeader, picture.bytes.size() - picture.at);
  const bool last = picture.at + data_left_ == picture.bytes.size();
  header_left_ = kPayloadHeader;
  header_ = {std::byte{kPayloadHeader},
             kEndOfHeader | (picture.toggle ? kFrameId : std::byte{0}) | (last ? kEndOfPicture : std::byte{0})};
  return true;
}

std::size_t VideoStream::read(std::span<std::byte> room) {
  const std::size_t header = std::min(header_left_, room.size());
  std::memcpy(room.data(), header_.data() + (header_.size() - header_left_), header);
  header_left_ -= header;
  const std::size_t data = std::min(data_left_, room.size() - header);
  if (data > 0) std::memcpy(room.data() + header, picture_->bytes.data() + picture_->at, data);
  picture_->at += data;
  data_left_ -= data;
  return header + data;
}

InReply VideoStream::bulk(std::span<std::byte> room) {
  if (room.empty()) return InReply::data(0);
  if (owes_end_) {
    owes_end_ = false;
    return InReply::data(0);
  }
  if (header_left_ + data_left_ == 0 && !begin_payload(kBulkPayload)) return InReply::not_yet();
  const std::size_t size = read(room);
  const bool is_over = header_left_ + data_left_ == 0;
  const bool is_last = is_over && picture_->at == picture_->bytes.size();
  owes_end_ = is_last && size == room.size() && picture_->bytes.size() % (kBulkPayload - kPayloadHeader) != 0;
  return InReply::data(size);
}

std::size_t VideoStream::isochronous(std::span<std::byte> room) {
  if (begin_payload(room.size())) return read(room);
  const bool toggle = picture_ && picture_->toggle;
  room[0] = std::byte{kPayloadHeader};
  room[1] = kEndOfHeader | (toggle ? kFrameId : std::byte{0});
  return kPayloadHeader;
}

}  // namespace usbloop::device_sim
