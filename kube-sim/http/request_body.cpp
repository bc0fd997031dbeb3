#include "kube-sim/http/request_body.h"

#include <algorithm>
#include <utility>

#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {

RequestBody::RequestBody(const BodyInfo& info) : left_(info.length) {
  if (info.chunked) chunks_.emplace(kMaxBodyBytes);
}

RequestBody::State RequestBody::take(std::string& buffer) {
  std::size_t used = 0;
  State state = State::more;
  if (chunks_) {
    state = chunks_->take(buffer, used);
  } else if (left_ > kMaxBodyBytes) {
    return State::too_large;
  } else {
    used = std::min<std::uint64_t>(left_, buffer.size());
    content_.append(buffer, 0, used);
    left_ -= used;
    if (left_ == 0) state = State::complete;
  }
  buffer.erase(0, used);
  return state;
}

std::string RequestBody::release() { return chunks_ ? chunks_->release() : std::move(content_); }

}  // namespace usbloop::apiserver
