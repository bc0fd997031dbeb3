#include <doctest/doctest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "common/metrics/check_exposition.h"
#include "common/metrics/exposition.h"
#include "common/metrics/process_collector.h"

using namespace usbloop::metrics;

namespace {

class Fixed final : public prometheus::Collectable {
 public:
  explicit Fixed(prometheus::MetricFamily family) : family_(std::move(family)) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override { return {family_}; }

 private:
  prometheus::MetricFamily family_;
};

}  // namespace

TEST_CASE("counters and looked-up values make one page that is well-formed") {
  prometheus::Registry registry;
  auto& family = prometheus::BuildCounter().Name("things_total").Help("Things.").Register(registry);
  family.Add({{"kind", "a \"quoted\" \\ name\nof two lines"}}).Increment(3);
  auto gauge = gauge_family("level", "A level.");
  add_sample(gauge, {{"where", "here"}}, 0.5);
  const Fixed fixed(gauge);
  const std::string text = exposition({&registry, nullptr, &fixed});
  const auto page = test::read_page(text);
  CHECK_MESSAGE(page.fault.empty(), page.fault);
  CHECK(page.value(R"(things_total{kind="a \"quoted\" \\ name\nof two lines"})") == 3);
  CHECK(page.value(R"(level{where="here"})") == 0.5);
}

TEST_CASE("a family that two collectables bring has one HELP") {
  auto first = gauge_family("level", "A level.");
  add_sample(first, {{"where", "here"}}, 1);
  auto second = gauge_family("level", "A level.");
  add_sample(second, {{"where", "there"}}, 2);
  const Fixed one(first);
  const Fixed two(second);
  const auto page = test::read_page(exposition({&one, &two}));
  CHECK_MESSAGE(page.fault.empty(), page.fault);
  CHECK(page.samples.size() == 2);
}

TEST_CASE("the process shows its time, memory and descriptors") {
  const ProcessCollector process;
  const auto page = test::read_page(exposition({&process}));
  CHECK_MESSAGE(page.fault.empty(), page.fault);
  CHECK(page.value("process_resident_memory_bytes") > 100'000);
  CHECK(page.value("process_open_fds") >= 3);
  CHECK(page.value("process_start_time_seconds") > 1.6e9);
  CHECK(page.has("process_cpu_seconds_total"));
}

TEST_CASE("the check of a page finds what is wrong with it") {
  CHECK_FALSE(test::read_page("up 1\n").fault.empty());
  const std::string head = "# HELP up Up.\n# TYPE up gauge\n";
  CHECK(test::read_page(head + "up 1\n").fault.empty());
  for (const char* line : {"up{a=\"b} 1\n", "up{a=\"b\"}\n", "up one\n", "up{0=\"b\"} 1\n", "up 1", "up 1\nup 1\n"}) {
    CHECK_FALSE(test::read_page(head + line).fault.empty());
  }
  CHECK_FALSE(test::read_page(head + head).fault.empty());
}
