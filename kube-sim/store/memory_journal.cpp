#include <chrono>

#include "kube-sim/store/journal.h"

namespace usbloop::apiserver {
namespace {

class MemoryJournal final : public Journal {
 public:
  Result<Contents> load() override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    Contents contents;
    contents.version = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
    return contents;
  }
  Result<> set_aside(const std::vector<Key>&) override { return {}; }
  Result<> write(const Event&) override { return {}; }
  Result<> probe() override { return {}; }
};

}  // namespace

std::unique_ptr<Journal> make_memory_journal() { return std::make_unique<MemoryJournal>(); }

}  // namespace usbloop::apiserver
