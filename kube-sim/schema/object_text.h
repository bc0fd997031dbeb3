#pragma once

#include <string_view>
#include <vector>

#include "kube-sim/schema/json_parts.h"

namespace usbloop::apiserver {

/// A stored object's text, in which members are looked for. Those of the object, and those of its members in turn, are
/// found once and kept. One such reader serves many objects, one after the other. For one thread.
class ObjectText {
 public:
  /// Begins with an object, whose text has to live as long as what is found in it.
  void begin(std::string_view text);

  [[nodiscard]] std::string_view whole() const { return whole_; }
  /// The value of the member, as it stands; empty when there is none. `name`: as it is written.
  std::string_view find(std::string_view name);
  /// The value of the member of a member.
  std::string_view find(std::string_view outer, std::string_view name);

  /// Something is not as our writer makes it: what was found means nothing, and the object has to be read as a tree.
  [[nodiscard]] bool broken() const { return broken_; }
  void set_broken() { broken_ = true; }

 private:
  struct Member {
    JsonPart part;
    bool opened = false;
    std::vector<JsonPart> parts;  ///< when it is opened
  };
  Member* member(std::string_view name);

  std::string_view whole_;
  std::vector<Member> members_;  ///< those behind the first `count_` are of earlier objects: their memory is used again
  std::size_t count_ = 0;
  bool broken_ = false;
};

}  // namespace usbloop::apiserver
