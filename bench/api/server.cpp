#include "bench/api/server.h"

#include <future>

#include "bench/api/requests.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kCreators = 4;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

e2e::LoopOptions loop_options(std::size_t vmis) {
  return {.nodes = {}, .apiserver_log_level = "warn", .dir = "store-of-" + std::to_string(vmis)};
}

}  // namespace

Server::Server(const e2e::CaseDir& dir, std::size_t vmis)
    : loop_(dir, loop_options(vmis)), vmis_(vmis), client_(connect_patiently(loop_.api())) {}

double Server::kib() { return static_cast<double>(e2e::resident_kib(loop_.apiserver().pid())); }

Server::Creation Server::create_vmis() {
  Creation creation;
  const auto time = 30s + 30ms * vmis_;
  const std::string version = list_version(*client_);
  const auto begin = Clock::now();
  auto created = std::async(std::launch::async, [&] {
    bench::create_vmis(api(), vmis_, kCreators);
    creation.created = seconds_since(begin);
  });
  wait_for_settled_vmis(api(), version, vmis_, time);
  created.get();
  // Two for each VMI: its controller tells of the pod, and the scheduler that there is no node for it.
  e2e::wait_until("the events of the VMIs", time, [&] { return count_events(*client_) >= 2 * vmis_; });
  creation.settled = seconds_since(begin);
  return creation;
}

double Server::restart() {
  loop_.stop_apiserver();
  const auto begin = Clock::now();
  loop_.start_apiserver();
  const double ms = seconds_since(begin) * 1000;
  client_ = connect_patiently(api());
  expect(client_->Get(e2e::vmis_path() + "/" + vmi_name(vmis_ - 1)), 200);
  return ms;
}

}  // namespace usbloop::bench
