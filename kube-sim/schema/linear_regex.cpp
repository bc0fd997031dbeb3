#include "kube-sim/schema/linear_regex.h"

#include <utility>

// The search: all places of the program at once, one byte after the other. linear_regex_compile.cpp makes the program.
namespace usbloop::apiserver {

/// Adds the step, or those that it leads to without a byte. A step is entered once a round.
void LinearRegex::follow(std::size_t first, bool at_begin, bool at_end, std::vector<std::size_t>& list,
                         std::vector<std::size_t>& seen, std::size_t round) const {
  std::vector<std::size_t> waiting = {first};
  while (!waiting.empty()) {
    const std::size_t at = waiting.back();
    waiting.pop_back();
    if (seen[at] == round) continue;
    seen[at] = round;
    const Step& step = steps_[at];
    switch (step.kind) {
      case Step::Kind::split:
        waiting.push_back(step.other);
        waiting.push_back(step.next);
        break;
      case Step::Kind::jump: waiting.push_back(step.next); break;
      case Step::Kind::begin:
        if (at_begin) waiting.push_back(at + 1);
        break;
      case Step::Kind::end:
        if (at_end) waiting.push_back(at + 1);
        break;
      default: list.push_back(at);
    }
  }
}

bool LinearRegex::finds(std::string_view text) const {
  std::vector<std::size_t> seen(steps_.size(), 0);
  std::vector<std::size_t> current;
  std::vector<std::size_t> next;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    // `seen` holds for the position: what `next` was filled with for it counts as entered.
    follow(0, i == 0, i == text.size(), current, seen, i + 1);
    next.clear();
    for (const std::size_t at : current) {
      if (steps_[at].kind == Step::Kind::match) return true;
      if (i == text.size() || !steps_[at].bytes.test(static_cast<unsigned char>(text[i]))) continue;
      follow(at + 1, false, i + 1 == text.size(), next, seen, i + 2);
    }
    std::swap(current, next);
  }
  return false;
}

}  // namespace usbloop::apiserver
