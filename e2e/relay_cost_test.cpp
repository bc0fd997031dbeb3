// What a message costs in system calls, counted by strace: a guard against a hot path that grows. Counts mean the same
// on any machine; times do not.
#include <doctest/doctest.h>

#include <csignal>
#include <map>
#include <regex>

#include "e2e/harness/digest.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/slot_node.h"
#include "e2e/harness/usbredir_bytes.h"

using namespace usbloop::e2e;

namespace {

constexpr int kRounds = 120;

bool can_trace(const CaseDir& dir) {
  try {
    Process probe({.name = "probe", .argv = {"strace", "-c", "-f", "-o", "/dev/null", "true"}, .log_dir = dir.path()});
    if (probe.wait_exit(10s).code == 0) return true;
    skip_case("strace cannot trace here: " + probe.err());
  } catch (const std::exception& error) {
    skip_case(std::string("strace: ") + error.what());
  }
  return false;
}

/// System calls of a process by name, from the table that strace -c writes.
std::map<std::string, int> counts_of(const std::string& table) {
  std::map<std::string, int> counts;
  const std::regex line(R"(\s*[0-9.]+\s+[0-9.]+\s+[0-9]+\s+([0-9]+)\s+(?:[0-9]+\s+)?(\w+))");
  for (std::sregex_iterator found(table.begin(), table.end(), line), end; found != end; ++found) {
    if ((*found)[2] != "total") counts[(*found)[2]] = std::stoi((*found)[1]);
  }
  return counts;
}

/// Runs `work` while strace counts for the process, and returns the counts.
template <typename Work>
std::map<std::string, int> traced(const CaseDir& dir, pid_t pid, const std::string& name, Work work) {
  const auto table = dir.path() / (name + ".counts");
  Process strace({.name = "strace-" + name,
                  .argv = {"strace", "-c", "-f", "-o", table, "-p", std::to_string(pid)},
                  .log_dir = dir.path()});
  strace.wait_err("attached", 10s);
  work();
  strace.signal(SIGINT);
  strace.wait_exit(10s);
  return counts_of(read_file(table));
}

}  // namespace

TEST_CASE("a message there and back costs few system calls, and none in the node after the handoff") {
  CaseDir dir;
  if (!can_trace(dir)) return;
  for (const Way way : {Way::handoff, Way::plain}) {
    CAPTURE(name_of(way));
    // The number of looks while it waits depends on the time.
    Loop loop(dir, {.nodes = {}, .apiserver_options = {"--busy-poll", "0"}, .dir = name_of(way)});
    SlotNode node(loop, way);
    RawWebsocket client = node.open();
    const auto qemu = node.accept(0);
    CHECK(client.send({.payload = qemu_hello()}));
    std::string hello;
    while (hello.size() < qemu_hello().size()) qemu->receive(hello, 10s);
    // 512 B, and four records of TLS: they come and leave together.
    for (const std::size_t size : {512U, 64U * 1024}) {
      CAPTURE(size);
      const std::string name = name_of(way) + "-" + std::to_string(size);
      const std::string up = bulk_answer(std::string(size - 32, 'x'));
      const std::string down(size, 'y');
      const auto ping_pong = [&] {
        for (int round = 0; round < kRounds; ++round) {
          client.send({.payload = up});
          std::string got;
          while (got.size() < up.size()) qemu->receive(got, 10s);
          qemu->send(down);
          client.receive_payload(down.size(), 10s);
        }
      };
      const auto api = traced(dir, loop.apiserver().pid(), "api-" + name, ping_pong);
      const auto per_round = [](const std::map<std::string, int>& counts) {
        int all = 0;
        for (const auto& [call, count] : counts) all += count;
        return double(all) / kRounds;
      };
      std::string text;
      for (const auto& [call, count] : api) text += call + " " + std::to_string(count) + ", ";
      MESSAGE("apiserver-sim, ", name, ": ", per_round(api), " calls per message there and back: ", text);
      // Each way: wait, read, write, and arming the wait again. Timers and the watch of the test add a few in all. The
      // harness sends the records of a large message one by one, so that it comes in two pieces; our end sends the head
      // of a large message before the rest.
      const double most = size == 512 ? 8.5 : 14.0;
      CHECK(per_round(api) < most);
      CHECK(api.at("sendto") < kRounds * (size == 512 ? 2.1 : 4.3));
      const auto at_node = traced(dir, node.process().pid(), "node-" + name, ping_pong);
      MESSAGE("node, ", name, ": ", per_round(at_node), " calls per message there and back");
      CHECK(per_round(at_node) < (way == Way::handoff ? 0.2 : most));
    }
  }
}
