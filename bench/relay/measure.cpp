#include "bench/relay/measure.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <thread>

#include "bench/load/session.h"
#include "bench/meter.h"
#include "bench/statistics.h"
#include "e2e/harness/proc_fs.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using SessionPtr = std::unique_ptr<Session>;

constexpr double kBytesPerMiB = 1 << 20;
constexpr double kGiB = 1 << 30;
constexpr double kStreamMiB = 512;
constexpr std::size_t kStreamPacket = 64 * 1024;
constexpr std::chrono::milliseconds kPingTime{1200};

/// How many round trips a full run makes of a size.
std::size_t full_count(std::size_t size) {
  if (size <= 512) return 10'000;
  if (size <= 16 * 1024) return 5'000;
  return size <= 128 * 1024 ? 1'500 : 300;
}

PingPlan plan_of(std::size_t size, double scale) {
  PingPlan plan;
  plan.size = size;
  plan.count = std::max<std::size_t>(10, static_cast<std::size_t>(static_cast<double>(full_count(size)) * scale));
  plan.warm_up = plan.count / 10 + 1;
  plan.at_most = std::max(std::chrono::milliseconds(20),
                          std::chrono::milliseconds(static_cast<int>(static_cast<double>(kPingTime.count()) * scale)));
  return plan;
}

SessionPtr open_session(const World& world, RoadKind road) {
  switch (road) {
    case RoadKind::direct: return open_unix_session(world.peer_socket());
    case RoadKind::tcp: return open_tcp_session(world.peer_port());
    case RoadKind::floor: return open_tcp_session(world.floor_port());
    default: return open_channel_session(world.access(), world.subresource(road, 0));
  }
}

/// CPU seconds so far of everybody on a road.
std::map<std::string, double> cpu_on(const World& world, RoadKind road) {
  std::map<std::string, double> cpu;
  for (const auto& member : world.members(road)) cpu[member.name] = cpu_seconds(member.pid);
  cpu["peer"] = cpu_seconds(world.peer());
  cpu["load tool"] = own_cpu_seconds();
  return cpu;
}

void run_pings(Session& session, const std::string& test, double scale, Cell& cell) {
  const auto times = session.ping_pong(plan_of(std::stoul(test), scale));
  std::vector<double> microseconds;
  for (const auto time : times) microseconds.push_back(time / 1000.0);
  cell.p50_us = percentile(microseconds, 0.5);
  cell.p90_us = percentile(microseconds, 0.9);
  cell.p99_us = percentile(microseconds, 0.99);
  cell.work = static_cast<double>(times.size());
}

void run_stream(Session& session, const std::string& test, double scale, Cell& cell) {
  const auto packets =
      std::max<std::size_t>(4, static_cast<std::size_t>(kStreamMiB * kBytesPerMiB * scale) / kStreamPacket);
  const std::size_t bytes = packets * kStreamPacket;
  const double seconds =
      test == "up" ? session.stream_up(bytes, kStreamPacket) : session.stream_down(bytes, kStreamPacket);
  cell.mb_per_s = static_cast<double>(bytes) / 1e6 / seconds;
  cell.work = static_cast<double>(bytes) / kGiB;
}

Cell run_test(const World& world, RoadKind road, Session& session, const std::string& test, double scale) {
  Cell cell;
  const auto before = cpu_on(world, road);
  if (is_stream(test)) {
    run_stream(session, test, scale, cell);
  } else {
    run_pings(session, test, scale, cell);
  }
  for (const auto& [name, seconds] : cpu_on(world, road)) cell.cpu[name] = seconds - before.at(name);
  return cell;
}

class RelayRun {
 public:
  RelayRun(const RelayOptions& options, const std::function<void(const std::string&)>& progress)
      : options_(options), progress_(progress) {
    WorldOptions world;
    world.plain = std::find(options.roads.begin(), options.roads.end(), RoadKind::ours_plain) != options.roads.end();
    progress("starting the programs");
    world_.emplace(world);
  }

  RelayResults run() {
    const auto begin = Clock::now();
    for (int round = 1; round <= options_.rounds; ++round) {
      const ForeignMeter others([this] { return everybodys_cpu(); });
      for (const std::string& mode : options_.modes) {
        progress_("round " + std::to_string(round) + " of " + std::to_string(options_.rounds) + ", " + mode);
        run_round(mode);
      }
      results_.foreign.push_back(others.share());
    }
    pin(world_->everybody(), -1);
    note_memory();
    results_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(results_);
  }

 private:
  [[nodiscard]] double everybodys_cpu() const { return cpu_seconds(world_->everybody()) + own_cpu_seconds(); }

  void run_round(const std::string& mode) {
    pin(world_->everybody(), mode == "pinned" ? processors().back() : -1);
    std::map<RoadKind, SessionPtr> sessions;
    for (const RoadKind road : options_.roads) sessions[road] = open_session(*world_, road);
    for (const std::string& test : options_.tests) {
      auto order = options_.roads;
      std::shuffle(order.begin(), order.end(), random_);
      for (const RoadKind road : order) {
        results_.cells[mode][test][road].push_back(run_test(*world_, road, *sessions[road], test, options_.scale));
      }
    }
  }

  void note_memory() {
    for (const RoadKind road : options_.roads) {
      for (const auto& [name, pid] : world_->members(road)) {
        const std::string suffix = road == RoadKind::ours_plain && name == "launcher-sim" ? " (plain)" : "";
        results_.peak_kib[name + suffix] = e2e::peak_resident_kib(pid);
      }
    }
  }

  const RelayOptions& options_;
  const std::function<void(const std::string&)>& progress_;
  std::optional<World> world_;
  std::mt19937 random_{std::random_device{}()};
  RelayResults results_;
};

}  // namespace

RelayResults measure_relay(const RelayOptions& options, const std::function<void(const std::string&)>& progress) {
  static_cast<void>(processors());  // as they are before anything is pinned
  return RelayRun(options, progress).run();
}

}  // namespace usbloop::bench
