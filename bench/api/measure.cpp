#include "bench/api/measure.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <random>

#include "bench/api/fan_out.h"
#include "bench/api/requests.h"
#include "bench/api/server.h"
#include "bench/cleanup.h"
#include "bench/statistics.h"
#include "e2e/harness/case_dir.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPage = 500;

double own_process_cpu() { return cpu_seconds(::getpid()); }

double ms_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

class ApiRun {
 public:
  ApiRun(const ApiOptions& options, const std::function<void(const std::string&)>& progress)
      : options_(options), progress_(progress) {}

  ApiResults run() {
    const auto begin = Clock::now();
    for (const std::size_t number : options_.numbers) fill(number);
    for (int round = 1; round <= options_.rounds; ++round) {
      progress_("round " + std::to_string(round) + " of " + std::to_string(options_.rounds));
      const ForeignMeter others([this] { return everybodys_cpu(); });
      in_random_order([this](std::size_t at) { read(at); });
      in_random_order([this](std::size_t at) { fan_out(at); });
      results_.foreign.push_back(others.share());
    }
    for (std::size_t at = 0; at < servers_.size(); ++at) results_.stages[at].used_kib = servers_[at]->kib();
    progress_("restarting the servers");
    for (int round = 0; round < options_.rounds; ++round) {
      in_random_order([this](std::size_t at) { results_.stages[at].restart_ms.push_back(servers_[at]->restart()); });
    }
    for (std::size_t at = 0; at < servers_.size(); ++at) results_.stages[at].restarted_kib = servers_[at]->kib();
    results_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(results_);
  }

 private:
  void in_random_order(const std::function<void(std::size_t)>& work) {
    std::vector<std::size_t> order(servers_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random_);
    for (const std::size_t at : order) work(at);
  }

  [[nodiscard]] double everybodys_cpu() {
    double sum = own_process_cpu();
    for (const auto& server : servers_) sum += server->cpu();
    return sum;
  }

  /// Each number has a server of its own. All run at once, so that whatever drifts meets all of them.
  void fill(std::size_t number) {
    progress_("creating " + std::to_string(number) + " VMIs");
    Server& server = *servers_.emplace_back(std::make_unique<Server>(dir_, number));
    ApiStage stage;
    stage.vmis = number;
    stage.empty_kib = server.kib();
    const double cpu = server.cpu();
    const Server::Creation creation = server.create_vmis();
    const auto count = static_cast<double>(number);
    stage.create_cpu_us = (server.cpu() - cpu) * 1e6 / count;
    stage.created_per_second = count / creation.created;
    stage.settled_per_second = count / creation.settled;
    stage.settled_kib = server.kib();
    results_.stages.push_back(std::move(stage));
  }

  void read(std::size_t at) {
    Server& server = *servers_[at];
    ApiStage& stage = results_.stages[at];
    const double before_list = server.cpu();
    stage.list_ms.push_back(ms_of([&] { stage.list_bytes = static_cast<double>(read_list(server.client())); }));
    stage.list_cpu_ms.push_back((server.cpu() - before_list) * 1000);
    stage.pages_ms.push_back(ms_of([&] { read_pages(server.client(), kPage, server.vmis()); }));
    stage.table_ms.push_back(ms_of([&] { read_table(server.client()); }));
    const double before_gets = server.cpu();
    const auto gets = read_singly(server.client(), server.vmis(), options_.gets);
    stage.get_cpu_us.push_back((server.cpu() - before_gets) * 1e6 / static_cast<double>(options_.gets));
    stage.get_p50_us.push_back(percentile(gets, 0.5));
    stage.get_p99_us.push_back(percentile(gets, 0.99));
  }

  void fan_out(std::size_t at) {
    const std::size_t most = options_.watchers.back();
    if (at + 1 < servers_.size()) return fan_out(*servers_[at], most, results_.stages[at].fan_out);
    auto numbers = options_.watchers;
    std::shuffle(numbers.begin(), numbers.end(), random_);
    for (const std::size_t number : numbers) fan_out(*servers_[at], number, results_.by_watchers[number]);
    results_.stages[at].fan_out = results_.by_watchers[most];
  }

  void fan_out(Server& server, std::size_t count, FanOut& figures) const {
    Watchers watchers(server.api(), count);
    const double cpu = server.cpu();
    const Watchers::Burst burst = watchers.burst(options_.burst);
    const auto events = static_cast<double>(options_.burst * count);
    figures.event_cpu_us.push_back((server.cpu() - cpu) * 1e6 / events);
    figures.writes_per_second.push_back(burst.writes_per_second);
    figures.events_per_second.push_back(burst.events_per_second);
    std::vector<double> last;
    std::vector<double> all;
    for (std::size_t i = 0; i < options_.singles; ++i) {
      const auto times = watchers.single();
      last.push_back(times.back());
      all.insert(all.end(), times.begin(), times.end());
    }
    figures.last_p50_ms.push_back(median(last));
    figures.event_p99_ms.push_back(percentile(all, 0.99));
  }

  const ApiOptions& options_;
  const std::function<void(const std::string&)>& progress_;
  HarnessHome home_;
  e2e::CaseDir dir_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::mt19937 random_{std::random_device{}()};
  ApiResults results_;
};

}  // namespace

ApiResults measure_api(const ApiOptions& options, const std::function<void(const std::string&)>& progress) {
  ApiRun run(options, progress);
  return run.run();
}

}  // namespace usbloop::bench
