#include <array>

#include "kube-sim/schema/field_path.h"

// FieldPath in an object's text.
namespace usbloop::apiserver {

/// One way through a text, depth first: select() goes step by step, and both find the same in the same order.
class FieldPath::TextWalk {
 public:
  /// Adds all to `all`; null: stops at the first.
  TextWalk(const std::vector<Step>& steps, std::vector<std::string_view>* all) : steps_(steps), all_(all) {}

  [[nodiscard]] std::string_view first() const { return first_; }

  /// From this value, before the step at `at`. False when the text is broken.
  bool go(std::string_view value, std::size_t at) {
    if (at == steps_.size()) {
      if (first_.empty()) first_ = value;
      if (all_ != nullptr) all_->push_back(value);
      return true;
    }
    const Step& step = steps_[at];
    if (!has_parts(value, step.kind)) return true;
    JsonParts parts(value);
    JsonPart part;
    std::size_t index = 0;
    while (all_ != nullptr || first_.empty()) {
      if (!parts.next(part)) return parts.whole();
      const std::size_t place = index++;
      if (!fits(step, part, place)) {
        if (broken_) return false;
        continue;
      }
      if (passed_.at(at)++ == kMostResults) return true;
      if (!go(part.value, at + 1)) return false;
      if (step.kind == Step::Kind::name || step.kind == Step::Kind::index) return true;  // there is one
    }
    return true;
  }

 private:
  static bool has_parts(std::string_view value, Step::Kind kind) {
    if (value.starts_with('{')) return kind != Step::Kind::index;
    return value.starts_with('[') && kind != Step::Kind::name;
  }

  bool fits(const Step& step, const JsonPart& part, std::size_t index) {
    switch (step.kind) {
      case Step::Kind::name: return part.name == step.written_name;
      case Step::Kind::index: return index == step.index;
      case Step::Kind::all: return true;
      case Step::Kind::filter: return fits_filter(step, part.value);
    }
    return false;
  }

  bool fits_filter(const Step& step, std::string_view value) {
    if (!value.starts_with('{')) return false;
    JsonParts parts(value);
    JsonPart part;
    while (parts.next(part)) {
      if (part.name != step.written_name) continue;
      return part.value == (part.value.starts_with('"') ? step.written_value : step.value);
    }
    broken_ = broken_ || !parts.whole();
    return false;
  }

  const std::vector<Step>& steps_;
  std::vector<std::string_view>* all_;
  std::string_view first_;
  std::array<std::size_t, kMostTextSteps> passed_{};  ///< results of each step so far
  bool broken_ = false;
};

void FieldPath::walk_text(ObjectText& object, TextWalk& walk) const {
  // Nearly all begin with two names: these are not looked for by each path anew.
  const bool two_names = steps_.size() >= 2 && steps_[0].kind == Step::Kind::name && steps_[1].kind == Step::Kind::name;
  const std::string_view start =
      two_names ? object.find(steps_[0].written_name, steps_[1].written_name) : object.whole();
  if (!start.empty() && !walk.go(start, two_names ? 2 : 0)) object.set_broken();
}

std::vector<std::string_view> FieldPath::select_text(ObjectText& object) const {
  std::vector<std::string_view> all;
  TextWalk walk(steps_, &all);
  walk_text(object, walk);
  return all;
}

std::string_view FieldPath::first_text(ObjectText& object) const {
  TextWalk walk(steps_, nullptr);
  walk_text(object, walk);
  return walk.first();
}

}  // namespace usbloop::apiserver
