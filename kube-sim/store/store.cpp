#include "kube-sim/store/store.h"

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "common/log.h"

namespace usbloop::apiserver {
namespace {

/// The objects of a journal. What one event made is what the next one changed, or what is there now: each version is
/// built once, which halves the time and the memory of a start.
class Versions {
 public:
  explicit Versions(const FieldReader& reader) : reader_(reader) {}

  /// Throws what nlohmann::json throws for a text that is no object's.
  ObjectPtr get(const Key& key, std::uint64_t version, std::string text) {
    ObjectPtr& known = known_[version];
    if (!known || known->key != key) known = restore_object(key, version, std::move(text), reader_);
    return known;
  }

 private:
  const FieldReader& reader_;
  std::unordered_map<std::uint64_t, ObjectPtr> known_;
};

/// An object whose stored text cannot be read.
struct Broken {
  Key key;
  std::string cause;
};

std::string name_of(const Key& key) {
  return key.resource + " " + (key.namespace_.empty() ? "" : key.namespace_ + "/") + key.name;
}

tl::unexpected<Error> unreadable_objects(const std::vector<Broken>& broken) {
  constexpr std::size_t kMostNamed = 10;
  std::string cause;
  for (std::size_t i = 0; i < std::min(broken.size(), kMostNamed); ++i) {
    cause += (i == 0 ? "" : "; ") + name_of(broken[i].key) + " cannot be read (" + broken[i].cause + ")";
  }
  if (broken.size() > kMostNamed) cause += "; and " + std::to_string(broken.size() - kMostNamed) + " more";
  return make_error(ErrorKind::invalid, "load", "the stored objects", std::move(cause),
                    "Mend the text in the table objects of state.db, or start once with --set-aside-unreadable: the "
                    "server then goes on without these objects, and keeps their text in the table set_aside.");
}

/// The history of writes behind the last one that cannot be read.
std::vector<Event> readable_history(std::vector<Journal::EventRow>& rows, Versions& versions) {
  std::vector<Event> events;
  for (Journal::EventRow& row : rows) {
    try {
      Event event{row.type, versions.get(row.row.key, row.row.version, std::move(row.row.text)), nullptr};
      if (!row.previous.empty()) {
        event.previous = versions.get(row.row.key, row.previous_version, std::move(row.previous));
      }
      events.push_back(std::move(event));
    } catch (const nlohmann::json::exception& error) {
      spdlog::warn("the stored history up to version {} is dropped, and watchers list again: {} cannot be read: {}",
                   row.row.version, name_of(row.row.key), error.what());
      events.clear();
    }
  }
  return events;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(std::unique_ptr<Journal> journal, FieldReader reader, WatchHub& hub,
                                           Unreadable unreadable) {
  auto contents = journal->load();
  if (!contents) return tl::unexpected(contents.error());
  std::unique_ptr<Store> store(new Store(std::move(journal), std::move(reader), hub));
  Versions versions(store->reader_);
  std::vector<Broken> broken;
  for (Journal::Row& row : contents->objects) {
    try {
      ObjectPtr object = versions.get(row.key, row.version, std::move(row.text));
      store->buckets_[row.key.resource][{row.key.namespace_, row.key.name}] = std::move(object);
    } catch (const nlohmann::json::exception& error) {
      broken.push_back({row.key, error.what()});
    }
  }
  if (!broken.empty()) {
    if (unreadable == Unreadable::refuse) return unreadable_objects(broken);
    std::vector<Key> keys;
    for (const auto& [key, cause] : broken) {
      spdlog::warn("set aside: {} cannot be read: {}", name_of(key), cause);
      keys.push_back(key);
    }
    if (auto done = store->journal_->set_aside(keys); !done) return tl::unexpected(done.error());
    contents->events.clear();  // who watched has to hear that these are gone
  }
  std::vector<Event> events = readable_history(contents->events, versions);
  hub.begin_at(events.empty() ? contents->version : events.front().object->version - 1);
  for (Event& event : events) hub.publish(std::move(event));
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
    // Once: clients and controllers try again and again.
    if (!failing_.exchange(true)) spdlog::error("{}", written.error().message());
    return tl::unexpected(kube::internal_error("the write could not be stored: " + written.error().cause));
  }
  if (failing_.exchange(false)) spdlog::warn("objects can be written again");
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
