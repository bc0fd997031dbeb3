#include "kube-sim/schema/merge_schema.h"

#include <algorithm>

namespace usbloop::apiserver {
namespace {

using Lines = std::vector<std::string_view>;

std::string_view cut(std::string_view& text, std::string_view separators) {
  const std::string_view part = text.substr(0, text.find_first_of(separators));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

}  // namespace

MergeSchema::MergeSchema(const Lines& lines) {
  for (const std::string_view line : lines) add(line);
}

void MergeSchema::add(std::string_view line) {
  std::string_view how = line;
  std::string_view path = cut(how, " ");
  MergeSchema* at = this;
  while (!path.empty()) {
    std::string_view segment = cut(path, ".");
    const bool into_items = segment.ends_with("[]");
    if (into_items) segment.remove_suffix(2);
    at = &at->fields_[std::string(segment)];
    if (!into_items) continue;
    if (!at->items_) at->items_ = std::make_unique<MergeSchema>();
    at = at->items_.get();
  }
  if (how == "atomic") {
    at->kind_ = Kind::atomic;
  } else if (how == "set") {
    at->kind_ = Kind::set;
  } else if (how == "open") {
    at->kind_ = Kind::open;
  } else {
    at->kind_ = Kind::keyed;
    while (!how.empty()) at->keys_.emplace_back(cut(how, ","));
    std::sort(at->keys_.begin(), at->keys_.end());
  }
}

const MergeSchema* MergeSchema::field(const std::string& name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? nullptr : &found->second;
}

}  // namespace usbloop::apiserver
