#include "kube-sim/objects/managed_fields/managers.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// As kube-apiserver; appliers are not counted.
constexpr std::size_t kMostUpdaters = 10;
/// Records are written by clients too; each entry is compared with all others.
constexpr std::size_t kMostEntries = 200;
constexpr const char* kAncient = "ancient-changes";

std::optional<Managers::Entry> read_entry(const json& tree) {
  if (!tree.is_object()) return std::nullopt;
  Managers::Entry entry;
  entry.manager.name = text_at(tree, "/manager");
  entry.manager.api_version = text_at(tree, "/apiVersion");
  entry.manager.subresource = text_at(tree, "/subresource");
  entry.time = text_at(tree, "/time");
  const std::string operation = text_at(tree, "/operation");
  entry.manager.applies = operation == "Apply";
  const json* fields = element_at(tree, "/fieldsV1");
  if ((operation != "Apply" && operation != "Update") || entry.manager.api_version.empty() || fields == nullptr ||
      text_at(tree, "/fieldsType") != "FieldsV1") {
    return std::nullopt;
  }
  auto set = FieldSet::from_json(*fields);
  if (!set) return std::nullopt;
  entry.fields = std::move(*set);
  return entry;
}

json entry_json(const Managers::Entry& entry) {
  json tree = {{"manager", entry.manager.name},
               {"operation", entry.manager.applies ? "Apply" : "Update"},
               {"apiVersion", entry.manager.api_version},
               {"fieldsType", "FieldsV1"},
               {"fieldsV1", entry.fields.to_json()}};
  if (!entry.time.empty()) tree["time"] = entry.time;
  if (!entry.manager.subresource.empty()) tree["subresource"] = entry.manager.subresource;
  return tree;
}

/// Applied ones first, then by time.
bool comes_before(const Managers::Entry& a, const Managers::Entry& b) {
  const auto rank = [](const Managers::Entry& entry) {
    return std::make_tuple(!entry.manager.applies, std::cref(entry.time), std::cref(entry.manager.name),
                           std::cref(entry.manager.api_version), std::cref(entry.manager.subresource));
  };
  return rank(a) < rank(b);
}

}  // namespace

bool Manager::is(const Manager& other) const {
  return name == other.name && applies == other.applies && subresource == other.subresource &&
         (applies || api_version == other.api_version);
}

std::optional<Managers> Managers::from_json(const json& list) {
  if (!list.is_array() || list.size() > kMostEntries) return std::nullopt;
  Managers managers;
  for (const json& tree : list) {
    auto entry = read_entry(tree);
    if (!entry) return std::nullopt;
    const Entry* same = managers.find(entry->manager);
    if (same != nullptr) entry->fields.unite(same->fields);
    managers.set(entry->manager, entry->time, std::move(entry->fields));
  }
  return managers;
}

json Managers::to_json() const {
  std::vector<Entry> sorted = entries_;
  std::sort(sorted.begin(), sorted.end(), comes_before);
  json list = json::array();
  for (const Entry& entry : sorted) list.push_back(entry_json(entry));
  return list;
}

const Managers::Entry* Managers::find(const Manager& manager) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.manager.is(manager); });
  return found == entries_.end() ? nullptr : &*found;
}

void Managers::set(const Manager& manager, const std::string& time, FieldSet fields) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.manager.is(manager); });
  if (!fields.empty()) entries_.push_back({manager, time, std::move(fields)});
}

void Managers::take_from_others(const FieldSet& fields, const Manager& manager) {
  for (Entry& entry : entries_) {
    if (!entry.manager.is(manager)) entry.fields.subtract(fields);
  }
  drop_empty();
}

FieldSet Managers::owned(const Manager* without) const {
  FieldSet all;
  for (const Entry& entry : entries_) {
    if (without == nullptr || !entry.manager.is(*without)) all.unite(entry.fields);
  }
  return all;
}

void Managers::cap() {
  const auto is_updater = [](const Entry& entry) { return !entry.manager.applies; };
  while (static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is_updater)) > kMostUpdaters) {
    // Ancient changes sort first by their time: they take in the next ones.
    std::sort(entries_.begin(), entries_.end(), comes_before);
    const auto oldest = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return is_updater(entry) && entry.manager.name != kAncient;
    });
    Entry entry = std::move(*oldest);
    entries_.erase(oldest);
    const Manager ancient{kAncient, false, entry.manager.api_version, entry.manager.subresource};
    if (const Entry* before = find(ancient)) entry.fields.unite(before->fields);
    set(ancient, entry.time, std::move(entry.fields));
  }
}

void Managers::drop_empty() {
  std::erase_if(entries_, [](const Entry& entry) { return entry.fields.empty(); });
}

}  // namespace usbloop::apiserver
