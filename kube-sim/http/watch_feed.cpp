#include <algorithm>

#include "common/timestamp.h"
#include "kube-sim/http/watch_session.h"
#include "kube-sim/objects/table.h"
#include "kube-sim/rest/request_options.h"
#include "kube-sim/rest/rest_handler.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// Text gathered before it is sent; an event may be larger.
constexpr std::size_t kPieceBytes = 64 * 1024;

std::string event_line(const char* type, const std::string& object) {
  std::string line = std::string("{\"type\":\"") + type + "\",\"object\":";
  line.append(object.ends_with('\n') ? std::string_view(object).substr(0, object.size() - 1) : object).append("}\n");
  return line;
}

}  // namespace

tl::expected<WatchSpec, kube::Status> read_watch(const Registry& registry, const Store& store, const Request& request,
                                                 const RequestInfo& info) {
  const ResourcePtr resource = registry.find(info.group, info.version, info.resource);
  if (resource == nullptr || !info.subresource.empty()) {
    return tl::unexpected(kube::not_found(info.group, info.resource, info.name));
  }
  auto options = read_watch_options(request);
  if (!options) return tl::unexpected(options.error());
  auto selection = read_selection(request, info, *resource);
  if (!selection) return tl::unexpected(selection.error());
  View view = make_view(request, info, *resource);
  view.kept = resource;
  if (!view.representation.acceptable || view.representation.yaml) {
    return tl::unexpected(kube::not_acceptable({"application/json;stream=watch"}));
  }
  if (view.representation.table && !parse_include_object(view.include_object)) {
    return tl::unexpected(unknown_include_object(view.include_object));
  }
  const std::uint64_t current = store.version();
  if (options->begin == WatchOptions::Begin::all_there_is && options->version > current) {
    return tl::unexpected(version_too_large(options->version, current));
  }
  return WatchSpec{std::move(view), info.namespace_, std::move(*selection), *options};
}

WatchFeed::WatchFeed(const WatchSpec& spec, const Store& store, const WatchHub& hub) : spec_(spec), hub_(hub) {
  switch (spec.options.begin) {
    case WatchOptions::Begin::behind_version: cursor_ = spec.options.version; break;
    case WatchOptions::Begin::now: cursor_ = store.version(); break;
    case WatchOptions::Begin::all_there_is: start(store); break;
  }
  bookmarked_ = cursor_;
}

void WatchFeed::start(const Store& store) {
  Store::Listing listing = store.list(spec_.view.resource.qualified(), spec_.namespace_);
  cursor_ = listing.version;
  std::erase_if(listing.objects, [&](const ObjectPtr& object) { return !spec_.selection.matches(*object); });
  initial_ = std::move(listing.objects);
  std::reverse(initial_.begin(), initial_.end());
  initial_end_due_ = spec_.options.initial_end_bookmark;
}

WatchFeed::Piece WatchFeed::initial() {
  Piece piece;
  while (!initial_.empty() && piece.text.size() < kPieceBytes) {
    piece.text += line("ADDED", *initial_.back());
    ++piece.events;
    initial_.pop_back();
  }
  if (initial_.empty() && initial_end_due_) {
    piece.text += bookmark_line(true);
    initial_end_due_ = false;
  }
  piece.more = true;
  return piece;
}

WatchFeed::Piece WatchFeed::next() {
  if (!initial_.empty() || initial_end_due_) return initial();
  Piece piece;
  const WatchHub::Batch batch = hub_.read(spec_.view.resource.qualified(), cursor_, WatchHub::kEventsAtOnce);
  if (batch.expired) {
    const kube::Status status = kube::expired("too old resource version: " + std::to_string(cursor_) + " (" +
                                              std::to_string(batch.current) + ")");
    return {event_line("ERROR", kube::body(status)), true, false, 1};
  }
  for (const Event& event : batch.events) {
    cursor_ = event.object->version;
    const std::string line = line_for(event);
    piece.text += line;
    if (!line.empty()) ++piece.events;
    piece.more = piece.text.size() >= kPieceBytes;
    if (piece.more) return piece;
  }
  piece.more = batch.events.size() == WatchHub::kEventsAtOnce;
  cursor_ = std::max(cursor_, batch.current);
  return piece;
}

/// For this watcher, an object that enters or leaves the selection is added or deleted.
std::string WatchFeed::line_for(const Event& event) {
  const Object& object = *event.object;
  if (!spec_.namespace_.empty() && object.key.namespace_ != spec_.namespace_) return {};
  const bool is = event.type != EventType::deleted && spec_.selection.matches(object);
  const bool was = event.previous && spec_.selection.matches(*event.previous);
  if (is) return line(was ? "MODIFIED" : "ADDED", object);
  if (!was) return {};
  if (event.type == EventType::deleted) return line("DELETED", object);
  // An object that has left is shown as it was while it was selected, under the version of the write that took it out.
  Object left = *event.previous;
  json tree = left.parse();
  tree["metadata"]["resourceVersion"] = std::to_string(object.version);
  left.version = object.version;
  left.text = tree.dump();
  return line("DELETED", left);
}

std::string WatchFeed::line(const char* type, const Object& object) {
  if (!spec_.view.representation.table) return event_line(type, item_text(spec_.view, object));
  json tree = object.parse();
  tree["apiVersion"] = spec_.view.resource.api_version(spec_.view.version);
  const auto include = parse_include_object(spec_.view.include_object);
  const TableOptions options{spec_.view.representation.meta_version, include.value_or(IncludeObject::metadata),
                             !columns_sent_};
  columns_sent_ = true;
  json table = make_table(spec_.view.resource, {{"resourceVersion", std::to_string(object.version)}}, options);
  table["rows"].push_back(make_row(spec_.view.resource, std::move(tree), options, now_seconds()));
  return event_line(type, table.dump());
}

std::string WatchFeed::bookmark_line(bool initial_end) const {
  const Representation& form = spec_.view.representation;
  json object = {{"kind", form.metadata_only ? "PartialObjectMetadata" : spec_.view.resource.info().kind},
                 {"apiVersion", form.metadata_only ? "meta.k8s.io/" + form.meta_version
                                                   : spec_.view.resource.api_version(spec_.view.version)},
                 {"metadata", {{"resourceVersion", std::to_string(cursor_)}, {"creationTimestamp", nullptr}}}};
  if (initial_end) object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
  return event_line("BOOKMARK", object.dump());
}

std::string WatchFeed::bookmark() {
  if (!spec_.options.bookmarks || bookmarked_ == cursor_ || !initial_.empty()) return {};
  bookmarked_ = cursor_;
  return bookmark_line(false);
}

}  // namespace usbloop::apiserver
