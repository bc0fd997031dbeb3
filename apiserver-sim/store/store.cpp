#include "apiserver-sim/store/store.h"

#include <exception>
#include <mutex>
#include <unordered_map>

#include "common/log.h"

namespace usbloop::apiserver {
namespace {

/// The objects of a journal. What an event made is what the next one changed, or what is there now: the same version is
/// built once, which halves the time and the memory of a start.
class Versions {
 public:
  explicit Versions(const FieldReader& reader) : reader_(reader) {}

  ObjectPtr get(const Key& key, std::uint64_t version, std::string text) {
    ObjectPtr& known = known_[version];
    if (!known || known->key != key) known = restore_object(key, version, std::move(text), reader_);
    return known;
  }

 private:
  const FieldReader& reader_;
  std::unordered_map<std::uint64_t, ObjectPtr> known_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(std::unique_ptr<Journal> journal, FieldReader reader, WatchHub& hub) {
  auto contents = journal->load();
  if (!contents) return tl::unexpected(contents.error());
  std::unique_ptr<Store> store(new Store(std::move(journal), std::move(reader), hub));
  try {
    Versions versions(store->reader_);
    for (Journal::Row& row : contents->objects) {
      store->buckets_[row.key.resource][{row.key.namespace_, row.key.name}] =
          versions.get(row.key, row.version, std::move(row.text));
    }
    const std::uint64_t first = contents->events.empty() ? contents->version + 1 : contents->events[0].row.version;
    hub.begin_at(first - 1);
    for (Journal::EventRow& row : contents->events) {
      Event event{row.type, versions.get(row.row.key, row.row.version, std::move(row.row.text)), nullptr};
      if (!row.previous.empty()) {
        event.previous = versions.get(row.row.key, row.previous_version, std::move(row.previous));
      }
      hub.publish(std::move(event));
    }
  } catch (const std::exception& error) {
    return make_error(ErrorKind::internal, "load", "the stored objects", error.what(),
                      "Move the state database away to start with an empty one.");
  }
  store->version_ = contents->version;
  return store;
}

ObjectPtr Store::get(const Key& key) const {
  const std::shared_lock lock(index_mutex_);
  const auto bucket = buckets_.find(key.resource);
  if (bucket == buckets_.end()) return nullptr;
  const auto found = bucket->second.find({key.namespace_, key.name});
  return found == bucket->second.end() ? nullptr : found->second;
}

Store::Listing Store::list(const std::string& resource, const std::string& namespace_) const {
  const std::shared_lock lock(index_mutex_);
  Listing listing;
  listing.version = version_;
  const auto bucket = buckets_.find(resource);
  if (bucket == buckets_.end()) return listing;
  const Bucket& objects = bucket->second;
  auto at = namespace_.empty() ? objects.begin() : objects.lower_bound({namespace_, ""});
  for (; at != objects.end() && (namespace_.empty() || at->first.first == namespace_); ++at) {
    listing.objects.push_back(at->second);
  }
  return listing;
}

std::uint64_t Store::version() const {
  const std::shared_lock lock(index_mutex_);
  return version_;
}

Result<> Store::check() {
  if (!failing_) return {};
  const std::scoped_lock lock(write_mutex_);
  auto kept = journal_->probe();
  if (kept) failing_ = false;
  return kept;
}

tl::expected<ObjectPtr, kube::Status> Store::transact(const Key& key, const Decide& decide) {
  const std::scoped_lock lock(write_mutex_);
  const ObjectPtr current = get(key);
  auto change = decide(current);
  if (!change) return tl::unexpected(change.error());
  if (change->kind == Change::Kind::keep) return current;
  return commit(key, current, std::move(*change));
}

tl::expected<ObjectPtr, kube::Status> Store::commit(const Key& key, const ObjectPtr& current, Change change) {
  const std::uint64_t next = version() + 1;
  change.object["metadata"]["resourceVersion"] = std::to_string(next);
  Event event;
  event.previous = current;
  try {
    event.object = make_object(key, next, change.object, reader_);
  } catch (const nlohmann::json::exception& error) {
    return tl::unexpected(kube::bad_request(std::string("the object cannot be stored: ") + error.what()));
  }
  if (change.kind == Change::Kind::remove) {
    event.type = EventType::deleted;
  } else {
    event.type = current ? EventType::modified : EventType::added;
  }
  if (auto written = journal_->write(event); !written) {
    spdlog::error("{}", written.error().message());
    failing_ = true;
    return tl::unexpected(kube::internal_error("the write could not be stored: " + written.error().cause));
  }
  failing_ = false;
  ObjectPtr object = event.object;
  index(std::move(event));
  hub_.wake(key.resource);
  return object;
}

void Store::index(Event event) {
  const std::unique_lock lock(index_mutex_);
  version_ = event.object->version;
  const Key& key = event.object->key;
  Bucket& bucket = buckets_[key.resource];
  if (event.type == EventType::deleted) {
    bucket.erase({key.namespace_, key.name});
  } else {
    bucket[{key.namespace_, key.name}] = event.object;
  }
  // Under the same lock: index and history agree for whoever reads both.
  hub_.record(std::move(event));
}

}  // namespace usbloop::apiserver
