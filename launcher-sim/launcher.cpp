#include "launcher-sim/launcher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <future>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "common/descriptor_limit.h"
#include "common/json_text.h"
#include "common/kube/rest_client.h"
#include "common/log.h"
#include "common/shown_text.h"
#include "common/small_file.h"
#include "launcher-sim/accelerator.h"
#include "launcher-sim/api_server_wait.h"
#include "launcher-sim/channel_server.h"
#include "launcher-sim/controller.h"
#include "launcher-sim/exit_watcher.h"
#include "launcher-sim/guest_registry.h"
#include "launcher-sim/log_keeper.h"
#include "launcher-sim/node_agent.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/qemu_files.h"
#include "launcher-sim/run_dir.h"
#include "launcher-sim/signals.h"
#include "launcher-sim/template_keeper.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;

constexpr const char* kChannelSocket = "channel.sock";
constexpr auto kStopGrace = 4s;  ///< for guests to power off at our own end
constexpr auto kGoodbyeTime = 2s;

/// Everything a node needs before it begins.
struct Node {
  Options options;
  QemuHost host;
  RunDir run_dir;
  kube::RestClient client;
};

Result<QemuHost> qemu_host(const Options& options) {
  auto host = guest_artefacts(options.guest_dir);
  if (!host) return host;
  host->qemu = options.qemu;
  return host;
}

/// Under KVM a guest boots within a second with either firmware, and no machine of ours could try the quick one there.
void choose_firmware(const Options& options, QemuHost& host) {
  if (options.quick_firmware && host.accelerator == "tcg") host.quick_firmware = quick_firmware(host.qemu);
}

/// Waits for the API server, or for a signal (ErrorKind::cancelled). It leaves the signal to the code that takes
/// signals.
Result<kube::RestClient> find_api_server(const Options& options, const RunDir& run_dir, const Signals& signals) {
  // A node with guests looks after them, whether the API server answers or not.
  const ApiServerQuery query{options.kubeconfig, options.context, options.node_name, run_dir.guests().empty()};
  const Fd found(::eventfd(0, EFD_CLOEXEC));
  if (!found) return make_errno_error("make", "an eventfd");
  Result<kube::RestClient> client = make_error(ErrorKind::internal, "find", "the API server", "not tried");
  std::jthread waiting([&](const std::stop_token& stop) {
    client = wait_for_api_server(query, stop);
    ::eventfd_write(found.get(), 1);
  });
  signals.wait_or_readable(found.get());
  waiting.request_stop();
  waiting.join();
  return client;
}

Result<Node> prepare(const Options& options, const Signals& signals) {
  auto host = qemu_host(options);
  if (!host) return tl::unexpected(host.error());
  auto run_dir = RunDir::open(options.run_dir);
  if (!run_dir) return tl::unexpected(run_dir.error());
  auto client = find_api_server(options, *run_dir, signals);
  if (!client) return tl::unexpected(client.error());
  auto accelerator = choose_accelerator(options.accelerator, *host);
  if (!accelerator) return tl::unexpected(accelerator.error());
  host->accelerator = *accelerator;
  choose_firmware(options, *host);
  return Node{options, std::move(*host), std::move(*run_dir), std::move(*client)};
}

/// The loop of the channel server in a thread of its own; ended by the destructor.
class LoopThread {
 public:
  LoopThread() : work_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    loop_.stop();
    thread_.join();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  asio::io_context& loop() { return loop_; }

 private:
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

ControllerHooks hooks_of(asio::io_context& loop, ChannelServer& channel) {
  return {[&channel](const std::string& uid) { channel.end_sessions(uid); },
          [&loop](Fd pidfd, std::function<void()> ended) { watch_exit(loop, std::move(pidfd), std::move(ended)); }};
}

/// The line that those who started us wait for.
void announce_ready(const std::string& name) { std::cout << "launcher-sim ready: node " << name << std::endl; }

/// The shape of deploy/examples: the one that most VMIs have.
GuestSpec usual_shape() {
  GuestSpec shape;
  shape.client_passthrough = true;
  return shape;
}

/// The node's templates, with the usual one on its way. Nothing when guests are to be booted.
std::unique_ptr<TemplateKeeper> make_templates(const Options& options, const QemuHost& host) {
  if (options.template_dir.empty()) return nullptr;
  if (host.accelerator != "tcg") {
    spdlog::info("guests are booted: copies of templates are made under software emulation only");
    return nullptr;
  }
  auto store = TemplateStore::open(options.template_dir);
  if (!store) {
    spdlog::warn("guests are booted: {}", store.error().message());
    return nullptr;
  }
  auto keeper = std::make_unique<TemplateKeeper>(std::move(*store), host);
  keeper->prepare(usual_shape());
  return keeper;
}

/// The node's threads; runs until a signal comes, and a bit longer for the goodbye.
Result<> serve(Node& node, const Signals& signals) {
  GuestRegistry registry;
  const std::string channel_path = node.run_dir.path() + "/" + kChannelSocket;
  const NodeDescription description{node.options.node_name, channel_path, node.options.max_vmis, node.host.accelerator};
  NodeAgent agent(node.client, description);
  const auto templates = make_templates(node.options, node.host);
  // Declared in the order in which they may use each other: the loop's thread ends before the controller does.
  std::optional<Controller> controller;
  LoopThread loop;
  ChannelServer channel(
      loop.loop(), registry,
      {.websocket = {.ping_interval = node.options.ping_interval, .peer_timeout = node.options.peer_timeout},
       .handoff = node.options.handoff});
  if (auto listening = channel.listen(channel_path); !listening) return listening;
  controller.emplace(node.client, node.run_dir, registry,
                     ControllerOptions{.node_name = description.name,
                                       .address = description.address,
                                       .host = node.host,
                                       .max_vmis = description.max_vmis,
                                       .templates = templates.get()},
                     hooks_of(loop.loop(), channel));
  channel.on_action([&controller](const std::string& uid, GuestAction action, ActionDone done) {
    controller->perform(uid, action, std::move(done));
  });
  controller->adopt_guests();
  controller->start();

  const std::jthread logs([&node](const std::stop_token& stop) { keep_logs_short(node.run_dir, stop); });
  std::promise<void> registered;
  std::jthread heartbeat(
      [&](const std::stop_token& stop) { agent.run(stop, [&registered] { registered.set_value(); }); });
  std::jthread announcement([&](const std::stop_token& stop) {
    const auto is_registered = registered.get_future();
    while (is_registered.wait_for(100ms) != std::future_status::ready) {
      if (stop.stop_requested()) return;
    }
    if (controller->wait_synced(stop)) announce_ready(node.options.node_name);
  });

  spdlog::info("stopping: signal {}", signals.wait());
  channel.stop();
  announcement.request_stop();
  heartbeat.request_stop();
  announcement.join();
  heartbeat.join();
  controller->stop();
  if (templates) templates->stop();
  const auto quick = node.client.with_options({.connect_timeout = kGoodbyeTime, .answer_timeout = kGoodbyeTime});
  if (auto left = NodeAgent(quick, description).say_goodbye(); !left) {
    spdlog::warn("{}", left.error().message());
  }
  controller->shut_down(kStopGrace, kGoodbyeTime);
  ::unlink(channel_path.c_str());
  return {};
}

int fail(const Error& error) {
  std::cerr << "launcher-sim: " << one_line(error.message()) << "\n";
  if (!error.hint.empty()) std::cerr << shown_lines(error.hint) << "\n";
  return 1;
}

int dry_run(const Options& options) {
  auto host = qemu_host(options);
  if (!host) return fail(host.error());
  choose_firmware(options, *host);
  const auto text = read_small_file(options.dry_run_vmi);
  if (!text) return fail(text.error());
  const auto vmi = parse_json_object(*text);
  if (!vmi) return fail({ErrorKind::invalid, "read", options.dry_run_vmi, vmi.error().cause});
  const auto spec = guest_spec(*vmi);
  if (!spec) return fail(spec.error());
  for (const auto& argument : qemu_command(*spec, *host)) std::cout << argument << "\n";
  return 0;
}

}  // namespace

int run(const Options& options) {
  if (!options.dry_run_vmi.empty()) return dry_run(options);
  if (auto logging = init_logging("launcher-sim", options.log_level); !logging) return fail(logging.error());
  raise_descriptor_limit();
  const Signals signals;
  auto node = prepare(options, signals);
  if (!node && node.error().kind == ErrorKind::cancelled) {
    spdlog::info("stopped by signal {} before the API server was there", signals.wait());
    return 0;
  }
  if (!node) return fail(node.error());
  const auto served = serve(*node, signals);
  if (!served) return fail(served.error());
  spdlog::info("stopped");
  return 0;
}

}  // namespace usbloop::launcher
