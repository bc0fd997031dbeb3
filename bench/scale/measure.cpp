#include "bench/scale/measure.h"

#include <algorithm>
#include <random>
#include <thread>

#include "bench/load/swarm.h"
#include "bench/meter.h"
#include "bench/world.h"
#include "e2e/harness/proc_fs.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSlots = 4;
constexpr std::chrono::milliseconds kIdleTime{1500};
constexpr std::chrono::milliseconds kPause{50};

class ScaleRun {
 public:
  ScaleRun(const ScaleOptions& options, const std::function<void(const std::string&)>& progress)
      : options_(options), progress_(progress), world_(world_options(options, progress)) {}

  ScaleResults run() {
    const auto begin = Clock::now();
    results_.empty_kib = memory();
    ours_ = make_channel_swarm(world_.access(), [this](std::size_t session) {
      return world_.subresource(RoadKind::ours, static_cast<int>(session / kSlots));
    });
    floor_ = make_socket_swarm(world_.floor_port());
    for (const std::size_t number : options_.numbers) results_.stages.push_back(stage(number));
    for (int round = 1; round <= options_.rounds; ++round) {
      progress_("round " + std::to_string(round) + " of " + std::to_string(options_.rounds));
      against_the_floor();
      beside_a_greedy_one();
    }
    results_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(results_);
  }

 private:
  static WorldOptions world_options(const ScaleOptions& options,
                                    const std::function<void(const std::string&)>& progress) {
    WorldOptions world;
    world.vmis = static_cast<int>((options.numbers.back() + kSlots - 1) / kSlots);
    world.plain = false;
    progress("starting the programs and " + std::to_string(world.vmis) + " stand-in guests");
    return world;
  }

  [[nodiscard]] std::map<std::string, std::uint64_t> memory() const {
    std::map<std::string, std::uint64_t> kib;
    for (const auto& [name, pid] : world_.members(RoadKind::ours)) kib[name] = e2e::resident_kib(pid);
    return kib;
  }

  [[nodiscard]] double cpu(RoadKind road) const {
    double sum = 0;
    for (const auto& member : world_.members(road)) sum += cpu_seconds(member.pid);
    return sum;
  }

  Stage stage(std::size_t number) {
    progress_(std::to_string(number) + " sessions");
    Stage stage;
    stage.sessions = number;
    const auto connects = ours_->grow_to(number);
    stage.connect_p50_ms = percentile(connects, 0.5);
    stage.connect_p99_ms = percentile(connects, 0.99);
    const double before = cpu(RoadKind::ours);
    std::this_thread::sleep_for(kIdleTime);  // what is measured is what happens in this time: nothing
    stage.idle_cpu = (cpu(RoadKind::ours) - before) / std::chrono::duration<double>(kIdleTime).count();
    stage.idle_kib = memory();
    stage.ours = load(*ours_, RoadKind::ours, number);
    stage.traffic_kib = memory();
    floor_->grow_to(number);
    stage.floor = load(*floor_, RoadKind::floor, number);
    return stage;
  }

  Load load(Swarm& swarm, RoadKind road, std::size_t active) {
    const double before = cpu(road);
    const Traffic traffic = swarm.run({.active = active, .time = options_.time});
    return {.per_second = traffic.per_second(),
            .p50_us = percentile(traffic.times_us, 0.5),
            .p99_us = percentile(traffic.times_us, 0.99),
            .cpu_us = (cpu(road) - before) * 1e6 / static_cast<double>(traffic.times_us.size())};
  }

  void against_the_floor() {
    const bool floor_first = random_() % 2 == 0;
    if (floor_first) results_.floor.push_back(load(*floor_, RoadKind::floor, options_.active));
    results_.ours.push_back(load(*ours_, RoadKind::ours, options_.active));
    if (!floor_first) results_.floor.push_back(load(*floor_, RoadKind::floor, options_.active));
  }

  void beside_a_greedy_one() {
    CrowdPlan plan{.active = options_.quiet, .time = options_.time, .pause = kPause};
    results_.quiet_p99_us.push_back(percentile(ours_->run(plan).times_us, 0.99));
    plan.greedy = true;
    results_.beside_p99_us.push_back(percentile(ours_->run(plan).times_us, 0.99));
  }

  const ScaleOptions& options_;
  const std::function<void(const std::string&)>& progress_;
  World world_;
  std::unique_ptr<Swarm> ours_;
  std::unique_ptr<Swarm> floor_;
  std::mt19937 random_{std::random_device{}()};
  ScaleResults results_;
};

}  // namespace

ScaleResults measure_scale(const ScaleOptions& options, const std::function<void(const std::string&)>& progress) {
  return ScaleRun(options, progress).run();
}

}  // namespace usbloop::bench
