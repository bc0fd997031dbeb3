#include "bench/guest/measure.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <random>

#include "bench/cleanup.h"
#include "bench/guest/seat.h"
#include "e2e/harness/case_dir.h"
#include "e2e/harness/loop.h"

namespace usbloop::bench {
namespace {

class GuestRun {
 public:
  explicit GuestRun(const GuestOptions& options) : options_(options), loop_(dir_) {
    for (int guest = 1; guest <= options.guests; ++guest) {
      seats_.push_back(std::make_unique<GuestSeat>(dir_, loop_, "bench-" + std::to_string(guest), options.mib));
    }
  }

  void round(const std::string& speed, GuestFigures& figures) {
    std::array roads = {GuestRoad::direct, GuestRoad::ours, GuestRoad::uas};
    std::shuffle(roads.begin(), roads.end(), random_);
    for (const GuestRoad road : roads) figures[road].push_back(measure(road, speed));
  }

 private:
  double measure(GuestRoad road, const std::string& speed) {
    for (auto& seat : seats_) seat->attach(road, speed);
    std::vector<std::future<double>> reads;
    for (auto& seat : seats_) {
      reads.push_back(std::async(std::launch::async, [&seat, this] { return seat->read(options_.reads); }));
    }
    double all = 0;
    for (auto& read : reads) all += read.get();
    for (auto& seat : seats_) seat->detach();
    return all;
  }

  const GuestOptions& options_;
  HarnessHome home_;
  e2e::CaseDir dir_;
  e2e::Loop loop_;
  std::vector<std::unique_ptr<GuestSeat>> seats_;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace

GuestResults measure_guest(const GuestOptions& options, const std::function<void(const std::string&)>& progress) {
  const auto begin = std::chrono::steady_clock::now();
  progress("starting a loop and booting " +
           (options.guests == 1 ? "a guest" : std::to_string(options.guests) + " guests"));
  GuestRun run(options);
  GuestResults results;
  for (int round = 1; round <= options.rounds; ++round) {
    progress("round " + std::to_string(round) + " of " + std::to_string(options.rounds));
    for (const char* speed : {"high", "super"}) run.round(speed, results.by_speed[speed]);
  }
  results.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return results;
}

}  // namespace usbloop::bench
