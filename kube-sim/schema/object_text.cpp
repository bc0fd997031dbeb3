#include "kube-sim/schema/object_text.h"

namespace usbloop::apiserver {

void ObjectText::begin(std::string_view text) {
  whole_ = text;
  count_ = 0;
  JsonParts parts(text);
  JsonPart part;
  while (parts.next(part)) {
    if (count_ == members_.size()) members_.emplace_back();
    Member& member = members_[count_++];
    member.part = part;
    member.opened = false;
  }
  broken_ = !parts.whole() || !text.starts_with('{');
}

ObjectText::Member* ObjectText::member(std::string_view name) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (members_[i].part.name == name) return &members_[i];
  }
  return nullptr;
}

std::string_view ObjectText::find(std::string_view name) {
  const Member* found = member(name);
  return found == nullptr ? std::string_view() : found->part.value;
}

std::string_view ObjectText::find(std::string_view outer, std::string_view name) {
  Member* around = member(outer);
  if (around == nullptr || !around->part.value.starts_with('{')) return {};
  if (!around->opened) {
    around->opened = true;
    around->parts.clear();
    JsonParts parts(around->part.value);
    JsonPart part;
    while (parts.next(part)) around->parts.push_back(part);
    broken_ = broken_ || !parts.whole();
  }
  for (const JsonPart& part : around->parts) {
    if (part.name == name) return part.value;
  }
  return {};
}

}  // namespace usbloop::apiserver
