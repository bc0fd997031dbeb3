#include "bench/world.h"

#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using e2e::Failure;
using namespace std::chrono_literals;

constexpr auto kStartTime = 30s;
constexpr auto kStopTime = 20s;
constexpr const char* kNode = "node-a";
constexpr const char* kPlainNode = "node-plain";

std::uint16_t ready_port(e2e::Process& process) {
  return static_cast<std::uint16_t>(std::stoi(process.wait_out("ready ([0-9]+)\n", kStartTime)));
}

std::string vmi_name(const std::string& node, int index) { return node + "-" + std::to_string(index); }

}  // namespace

const char* name_of(RoadKind kind) {
  switch (kind) {
    case RoadKind::direct: return "direct";
    case RoadKind::tcp: return "tcp";
    case RoadKind::floor: return "floor";
    case RoadKind::ours: return "ours";
    case RoadKind::ours_plain: return "ours_plain";
  }
  return "";
}

World::World(const WorldOptions& options) {
  peer_ = start("peer", {USBLOOP_BENCH_PEER, dir_.path()});
  peer_port_ = ready_port(*peer_);
  start_floor();
  start_api();
  node_ = start_node(kNode, {});
  std::vector<std::string> nodes{kNode};
  if (options.plain) {
    plain_node_ = start_node(kPlainNode, {"--no-handoff"});
    nodes.emplace_back(kPlainNode);
  }
  make_vmis(nodes, options.vmis);
}

World::~World() {
  // The guests end with their launchers. The end of the directory kills what is left after that.
  for (ProcessPtr* process : {&plain_node_, &node_, &api_, &floor_client_, &floor_agent_, &peer_}) stop(*process);
}

void World::stop(ProcessPtr& process) {
  if (!process || !process->running()) return;
  process->signal(SIGTERM);
  e2e::holds_within(kStopTime, [&] { return !process->running(); });
}

World::ProcessPtr World::start(const std::string& name, std::vector<std::string> argv) {
  return std::make_unique<e2e::Process>(
      e2e::ProcessSpec{.name = name, .argv = std::move(argv), .log_dir = dir_.path()});
}

void World::start_floor() {
  floor_agent_ = start("floor-agent", {USBLOOP_BENCH_FLOOR, "agent", peer_socket()});
  const std::uint16_t agent_port = ready_port(*floor_agent_);
  floor_client_ = start("floor-client", {USBLOOP_BENCH_FLOOR, "client", std::to_string(agent_port)});
  floor_port_ = ready_port(*floor_client_);
}

void World::start_api() {
  const std::filesystem::path data = dir_.path() / "apiserver";
  api_ = start("apiserver-sim", {e2e::apiserver_sim(), "--data-dir", data, "--in-memory", "--log-level", "warn"});
  api_->wait_out("apiserver-sim ready: https://127.0.0.1:([0-9]+)\n", kStartTime);
  auto access = kube::load_kubeconfig({data / "admin.kubeconfig"}, "");
  if (!access) throw Failure(access.error().message());
  access_ = std::make_unique<kube::ClusterAccess>(std::move(*access));
}

World::ProcessPtr World::start_node(const std::string& node, const std::vector<std::string>& more) {
  // The stand-in boots nothing: the artefacts only have to exist.
  const std::filesystem::path guest = dir_.path() / "guest";
  std::filesystem::create_directories(guest);
  for (const char* file : {"vmlinux", "initramfs.cpio.gz"}) e2e::write_file(guest / file, "");
  // It looks for the peer beside itself: launcher-sim gives a QEMU a few variables of the environment, and none of
  // ours.
  const std::filesystem::path stand_in = dir_.path() / "stand-in";
  if (!std::filesystem::exists(stand_in)) std::filesystem::create_symlink(USBLOOP_BENCH_STAND_IN, stand_in);
  std::vector<std::string> argv = {e2e::launcher_sim(),
                                   "--kubeconfig",
                                   dir_.path() / "apiserver/node.kubeconfig",
                                   "--node-name",
                                   node,
                                   "--run-dir",
                                   dir_.path() / node,
                                   "--guest",
                                   guest,
                                   "--qemu",
                                   stand_in,
                                   "--accel",
                                   "tcg",
                                   "--max-vmis",
                                   "1024",
                                   "--log-level",
                                   "warn"};
  argv.insert(argv.end(), more.begin(), more.end());
  auto process = start(node, argv);
  process->wait_out("launcher-sim ready: node " + node + "\n", kStartTime);
  return process;
}

void World::make_vmis(const std::vector<std::string>& nodes, int count) {
  const e2e::Api api(dir_.path() / "apiserver/admin.kubeconfig");
  std::set<std::string> waiting;
  for (const std::string& node : nodes) {
    for (int i = 0; i < count; ++i) {
      const std::string name = vmi_name(node, i);
      e2e::VmiOptions options;
      options.node_selector = {{"kubernetes.io/hostname", node}};
      const auto answer = api.create(e2e::vmis_path(), e2e::vmi_manifest(name, options));
      if (answer.status != 201) throw Failure("create VMI " + name + ": " + answer.body);
      waiting.insert(name);
    }
  }
  const auto time = kStartTime + std::chrono::seconds(1) * static_cast<int>(waiting.size());
  api.watch(e2e::vmis_path() + "?resourceVersion=0", time, "the stand-in guests to run",
            [&waiting](const nlohmann::json& event) {
              const auto& object = event.at("object");
              const std::string phase = object.value("/status/phase"_json_pointer, "");
              const std::string name = object.at("metadata").value("name", "");
              if (phase == "Failed") throw Failure("VMI " + name + " failed");
              if (phase == "Running") waiting.erase(name);
              return waiting.empty();
            });
}

std::string World::subresource(RoadKind road, int vmi) const {
  return e2e::usbredir_path(vmi_name(road == RoadKind::ours_plain ? kPlainNode : kNode, vmi));
}

std::vector<World::Member> World::members(RoadKind road) const {
  switch (road) {
    case RoadKind::direct:
    case RoadKind::tcp: return {};
    case RoadKind::floor: return {{"floor client", floor_client_->pid()}, {"floor agent", floor_agent_->pid()}};
    case RoadKind::ours: return {{"apiserver-sim", api_->pid()}, {"launcher-sim", node_->pid()}};
    case RoadKind::ours_plain: return {{"apiserver-sim", api_->pid()}, {"launcher-sim", plain_node_->pid()}};
  }
  return {};
}

std::vector<pid_t> World::everybody() const {
  std::vector<pid_t> pids;
  for (const ProcessPtr* process : {&peer_, &floor_agent_, &floor_client_, &api_, &node_, &plain_node_}) {
    if (*process) pids.push_back((*process)->pid());
  }
  return pids;
}

}  // namespace usbloop::bench
