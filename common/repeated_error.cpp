#include "common/repeated_error.h"

#include "common/log.h"

namespace usbloop {
namespace {

constexpr std::chrono::minutes kSilence{1};
constexpr std::size_t kMostMessages = 16;

void say_count(const std::string& message, std::uint64_t more) {
  if (more > 0) spdlog::error("{} ({} more {})", message, more, more == 1 ? "time" : "times");
}

}  // namespace

void RepeatedError::report(const std::string& message, Clock::time_point now) {
  const auto known = messages_.find(message);
  if (known == messages_.end()) {
    if (messages_.size() >= kMostMessages) sum_up();
    messages_.emplace(message, Said{now});
    spdlog::error("{}", message);
    return;
  }
  Said& said = known->second;
  ++said.more;
  if (now - said.last < kSilence) return;
  say_count(message, said.more);
  said = {now};
}

void RepeatedError::sum_up() {
  for (const auto& [message, said] : messages_) say_count(message, said.more);
  messages_.clear();
}

}  // namespace usbloop
