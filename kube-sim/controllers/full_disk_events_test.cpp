// A disk that is full while controllers tell what they have to tell.
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <atomic>
#include <sstream>

#include "common/log.h"
#include "common/test_wait.h"
#include "kube-sim/controllers/no_controller.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/event.h"
#include "kube-sim/resources/kubernetes_kinds.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using usbloop::testing::comes_true;

namespace {

/// Keeps nothing, and has no room for Events while it is full.
class FullJournal final : public Journal {
 public:
  struct Disk {
    std::atomic<bool> full = true;
    std::atomic<int> refused = 0;
  };
  explicit FullJournal(Disk& disk) : disk_(disk) {}

  usbloop::Result<Contents> load() override { return memory_->load(); }
  usbloop::Result<> set_aside(const std::vector<Key>& objects) override { return memory_->set_aside(objects); }
  usbloop::Result<> write(const Event& event) override {
    if (!disk_.full || event.object->key.resource != kEventResource) return memory_->write(event);
    ++disk_.refused;
    return usbloop::make_error(usbloop::ErrorKind::unavailable, "write", "state.db", "database or disk is full");
  }
  usbloop::Result<> probe() override { return memory_->probe(); }

 private:
  Disk& disk_;
  std::unique_ptr<Journal> memory_ = make_memory_journal();
};

/// What is logged while this lives.
class LogText {
 public:
  LogText() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("full disk", std::move(sink)));
  }
  ~LogText() { spdlog::set_default_logger(before_); }
  LogText(const LogText&) = delete;
  LogText& operator=(const LogText&) = delete;

  /// How often it has the text. When no thread logs any more.
  [[nodiscard]] int count(const std::string& wanted) const {
    const std::string text = text_.str();
    int found = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) ++found;
    return found;
  }

 private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
  std::ostringstream text_;
};

}  // namespace

TEST_CASE("an Event that a full disk refuses comes when there is room, and the log tells of the disk once") {
  const LogText log;
  FullJournal::Disk disk;
  const Registry registry(kubernetes_kinds(), {}, kubernetes_schemas());
  WatchHub hub(1000);
  const auto store = Store::open(std::make_unique<FullJournal>(disk), registry.field_reader(), hub);
  REQUIRE(store);
  {
    const NoController no_controller(registry, **store, hub);
    ObjectWriter writer(**store);
    for (const auto& [kind, object] :
         {std::pair<const char*, json>{"namespaces", {{"metadata", {{"name", "default"}}}}},
          {"priorityclasses.scheduling.k8s.io", {{"metadata", {{"name", "high"}}}, {"value", 7}}}}) {
      const auto made = writer.create(*registry.find_qualified(kind), "", object, false);
      CHECK_MESSAGE(made, (made ? "" : made.error().message));
    }
    CHECK(comes_true([&] { return disk.refused >= 3; }));
    CHECK((*store)->get({"priorityclasses.scheduling.k8s.io", "", "high"}));
    CHECK((*store)->list(kEventResource, "").objects.empty());
    disk.full = false;
    REQUIRE(comes_true([&] { return (*store)->list(kEventResource, "").objects.size() == 1; }));
    CHECK((*store)->list(kEventResource, "").objects[0]->parse()["reason"] == kNoController);
  }
  CHECK(log.count("database or disk is full") == 1);
  CHECK(log.count("objects can be written again") == 1);
}
