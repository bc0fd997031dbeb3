#include "kube-sim/store/page.h"

#include <algorithm>
#include <limits>
#include <map>
#include <shared_mutex>

#include "kube-sim/store/store.h"

namespace usbloop::apiserver {
namespace {

/// What stood at a position at the requested version, where that differs from what stands there now; null: nothing.
using Overlay = std::map<Position, ObjectPtr>;

/// The present state with the writes after a version undone: the state before the first of them is shown.
Overlay undo(const std::vector<Event>& events) {
  Overlay overlay;
  for (const Event& event : events) {
    overlay.try_emplace({event.object->key.namespace_, event.object->key.name}, event.previous);
  }
  return overlay;
}

/// Goes through a bucket and its overlay as through one list.
class Merged {
 public:
  using Bucket = std::map<Position, ObjectPtr>;

  Merged(const Bucket& bucket, const Overlay& overlay, const Position& from)
      : now_(bucket.lower_bound(from)),
        now_end_(bucket.end()),
        then_(overlay.lower_bound(from)),
        then_end_(overlay.end()) {}

  /// Null at the end. Not the pointer itself: most objects are only counted.
  const ObjectPtr* next() {
    while (now_ != now_end_ || then_ != then_end_) {
      const bool overlaid = then_ != then_end_ && (now_ == now_end_ || then_->first <= now_->first);
      if (!overlaid) return &(now_++)->second;
      if (now_ != now_end_ && now_->first == then_->first) ++now_;
      if (const ObjectPtr& object = (then_++)->second) return &object;
    }
    return nullptr;
  }

 private:
  Bucket::const_iterator now_, now_end_;
  Overlay::const_iterator then_, then_end_;
};

void fill(Page& page, const PageRequest& request, Merged list) {
  while (const ObjectPtr* found = list.next()) {
    const ObjectPtr& object = *found;
    if (!request.namespace_.empty() && object->key.namespace_ != request.namespace_) return;
    if (page.next) {
      ++page.rest;
      continue;
    }
    // The object that does not fit any more is not tested: the next page finds out whether more of them match.
    if (request.limit > 0 && page.objects.size() == request.limit) {
      page.next = {object->key.namespace_, object->key.name};
      if (!request.count_rest) return;
      page.rest = 1;
    } else if (!request.matches || request.matches(*object)) {
      page.objects.push_back(object);
    }
  }
}

}  // namespace

Page Store::page(const PageRequest& request) const {
  const std::shared_lock lock(index_mutex_);
  Page page;
  page.version = version_;
  if (request.version > version_) {
    page.outcome = Page::Outcome::too_large;
    return page;
  }
  Overlay overlay;
  if (request.version != 0 && request.version < version_) {
    // Under the lock the history ends with version_: exactly what came after the version is undone.
    const WatchHub::Batch batch = hub_.read(request.resource, request.version, std::numeric_limits<std::size_t>::max());
    if (batch.expired) {
      page.outcome = Page::Outcome::expired;
      return page;
    }
    overlay = undo(batch.events);
    page.version = request.version;
  }
  static const Merged::Bucket kNone;
  const auto bucket = buckets_.find(request.resource);
  Position from = request.from;
  if (!request.namespace_.empty()) from = std::max(from, Position(request.namespace_, ""));
  fill(page, request, Merged(bucket == buckets_.end() ? kNone : bucket->second, overlay, from));
  return page;
}

}  // namespace usbloop::apiserver
