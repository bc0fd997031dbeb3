// Starts, ends and crashes of the loop's parts.
#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

struct Desk : GuestScene {
  fs::path image = dir.path() / "stick.img";
  std::string sha = make_random_image(image, 4 * kMiB, 1);

  Client client(const std::string& name) { return Client(dir, name, loop, {.image = image}, "demo"); }
  void check_data() { CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), 4 * kMiB) == sha); }
  /// Ends a program of the loop in the middle of a read. The client loses its session, says so and stays; the guest
  /// loses the device at once, and the read fails.
  void cut_while_reading(Client& client, const std::function<void()>& cut) {
    const std::size_t mark = guest.mark();
    const std::string disk = wait_disk(guest, "1-1");
    const auto busy = cpu_time(client.process().pid()) + 50ms;
    guest.start("while dd if=/dev/" + disk + " of=/dev/null bs=64k iflag=direct 2>/dev/null; do :; done");
    wait_until("traffic", 10s, [&] { return cpu_time(client.process().pid()) > busy; });
    cut();
    client.process().wait_err("reconnecting", 5s);
    CHECK_NOTHROW(guest.finish(15s));
    CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 0951:1666", 5s, mark));
  }
  /// The device is back by itself, and the next read is right.
  void check_return(Client& client) {
    client.process().wait_err("Redirecting 0951:1666 [^\n]* to VMI default/demo again", 30s);
    check_data();
    client.stop();
    CHECK(contains(client.process().err(), "Stopped; the device is back."));
  }
};

bool process_exists(pid_t pid) {
  reap_orphans();
  return ::kill(pid, 0) == 0;
}

}  // namespace

TEST_CASE("a VMI goes through its phases, is Ready while it runs, and nothing of it is left after its deletion") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo");
  std::vector<std::string> phases;
  loop.api().watch(vmis_path() + "?fieldSelector=metadata.name%3Ddemo&resourceVersion=0", 30s, "Running",
                   [&](const json& event) {
                     const auto phase = event.at("object").value("/status/phase"_json_pointer, "");
                     if (phases.empty() || phases.back() != phase) phases.push_back(phase);
                     return phase == "Running";
                   });
  // The first ones may have passed before the watch began; their order is fixed.
  const std::vector<std::string> order = {"", "Pending", "Scheduling", "Scheduled", "Running"};
  std::size_t at = 0;
  for (const auto& phase : phases) {
    while (at < order.size() && order[at] != phase) ++at;
    CHECK_MESSAGE(at < order.size(), "phase '" << phase << "' out of order");
  }
  CHECK(vmi.object().at("status").at("nodeName") == "node-a");
  CHECK(vmi.object().at("metadata").at("labels").at("kubevirt.io/nodeName") == "node-a");
  bool ready = false;
  const json object = vmi.object();
  for (const auto& condition : object.at("status").at("conditions")) {
    if (condition.at("type") == "Ready") ready = condition.at("status") == "True";
  }
  CHECK(ready);

  const pid_t qemu = vmi.qemu_pid();
  const fs::path run_dir = vmi.run_dir();
  CHECK(process_exists(qemu));
  vmi.remove();
  CHECK(holds_within(15s, [&] { return !process_exists(qemu); }));
  CHECK(holds_within(15s, [&] { return !fs::exists(run_dir); }));
  CHECK(loop.api().get(vmis_path() + "/demo").status == 404);
}

TEST_CASE("a VMI is deleted while a device is redirected: the client says so and ends with 1") {
  Desk desk;
  Client client = desk.client("client");
  wait_disk(desk.guest, "1-1");
  const pid_t qemu = desk.vmi.qemu_pid();
  desk.vmi.remove();
  CHECK(holds_within(15s, [&] { return !process_exists(qemu); }));
  const ExitStatus status = client.process().wait_exit(15s);
  CHECK(status.code == 1);
  // It looks while the guest goes down, or after.
  const std::string said = client.process().err();
  const bool is_told =
      contains(said, "VMI default/demo has been deleted.") || contains(said, "VMI default/demo is being deleted.");
  CHECK_MESSAGE(is_told, said);
}

TEST_CASE("the guest crashes while a device is redirected: the VMI is Failed and the client ends with 1") {
  Desk desk;
  Client client = desk.client("client");
  wait_disk(desk.guest, "1-1");
  ::kill(desk.vmi.qemu_pid(), SIGKILL);
  CHECK(client.process().wait_exit(15s).code == 1);
  CHECK_MESSAGE(contains(client.process().err(), "no longer running (phase Failed)"), client.process().err());
  desk.vmi.wait_phase("Failed", 10s);
}

TEST_CASE("the guest powers itself off: the VMI is Succeeded") {
  Desk desk;
  desk.guest.start("poweroff -f");
  desk.vmi.wait_phase("Succeeded", 20s);
}

TEST_CASE("a launcher that is killed in the middle of a read and started again has its guest and the device back") {
  Desk desk;
  desk.guest.must_run("echo remembered > /tmp/word");
  Client client = desk.client("client");
  const pid_t qemu = desk.vmi.qemu_pid();
  desk.cut_while_reading(client, [&] { desk.loop.launcher().kill_hard(); });  // it carries the session
  CHECK(process_exists(qemu));

  desk.loop.start_launcher();
  desk.vmi.wait_phase("Running", 10s);
  CHECK(desk.vmi.qemu_pid() == qemu);
  CHECK(desk.guest.must_run("cat /tmp/word") == "remembered");
  desk.check_return(client);
  desk.vmi.remove();
  CHECK(holds_within(15s, [&] { return !process_exists(qemu); }));
}

TEST_CASE("a guest that dies while its launcher is down is found dead afterwards") {
  Desk desk;
  const pid_t qemu = desk.vmi.qemu_pid();
  desk.loop.launcher().kill_hard();
  ::kill(qemu, SIGKILL);
  REQUIRE(holds_within(5s, [&] { return !process_exists(qemu); }));
  desk.loop.start_launcher();
  desk.vmi.wait_phase("Failed", 10s);
}

TEST_CASE("a node with room for one guest: the next waits, also for one that an earlier launcher started") {
  const CaseDir dir;
  Loop loop(dir, {.launcher_options = {"--max-vmis", "1"}});
  const Vmi first(loop, "first");
  first.wait_phase("Running");
  const Vmi second(loop, "second");
  loop.api().watch("/api/v1/namespaces/default/pods?resourceVersion=0", 10s, "a pod that finds no room",
                   [](const json& event) { return contains(event.dump(), "Too many pods"); });
  const pid_t qemu = first.qemu_pid();
  loop.launcher().kill_hard();
  loop.start_launcher();
  CHECK(process_exists(qemu));
  CHECK(second.object().value("/status/phase"_json_pointer, "") != "Running");
  ::kill(qemu, SIGKILL);
  first.wait_phase("Failed", 10s);
  second.wait_phase("Running");
}

TEST_CASE("a VMI deleted while its launcher is down is gone after the launcher's restart") {
  Desk desk;
  const pid_t qemu = desk.vmi.qemu_pid();
  desk.loop.launcher().kill_hard();
  CHECK(desk.loop.api().remove(vmis_path() + "/demo").status == 200);
  CHECK(desk.vmi.object().at("metadata").contains("deletionTimestamp"));
  desk.loop.start_launcher();
  CHECK(holds_within(10s, [&] { return desk.loop.api().get(vmis_path() + "/demo").status == 404; }));
  CHECK(holds_within(15s, [&] { return !process_exists(qemu); }));
}

TEST_CASE("an API server that is killed in the middle of a read and started again has its objects, node and client") {
  Desk desk;
  const std::string uid = desk.vmi.uid();
  const std::string version = desk.vmi.object().at("metadata").at("resourceVersion").get<std::string>();
  Client client = desk.client("client");
  const int port = desk.loop.api().port();
  desk.cut_while_reading(client, [&] { desk.loop.apiserver().kill_hard(); });
  desk.loop.start_apiserver();
  CHECK(Api(desk.loop.kubeconfig()).port() == port);
  CHECK(desk.vmi.object().at("metadata").at("uid") == uid);
  CHECK(desk.vmi.object().at("status").at("phase") == "Running");
  CHECK(std::stoll(desk.vmi.object().at("metadata").at("resourceVersion").get<std::string>()) >= std::stoll(version));

  desk.check_return(client);
  // The launcher watches again: a second VMI is started and the first can be deleted.
  const Vmi second(desk.loop, "second");
  second.wait_phase("Running", 40s);
  desk.vmi.remove();
}

TEST_CASE(
    "a VM that is stopped and started has the device back by itself, and its client ends when the VM is deleted") {
  const CaseDir dir;
  Loop loop(dir);
  const std::string vms = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
  json vm = {{"apiVersion", "kubevirt.io/v1"},
             {"kind", "VirtualMachine"},
             {"metadata", {{"name", "demo"}}},
             {"spec", {{"runStrategy", "Always"}, {"template", {{"spec", vmi_manifest("demo").at("spec")}}}}}};
  vm["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 0;
  REQUIRE(loop.api().create(vms, vm).status == 201);
  const auto wait_running = [&] {
    wait_until("the VMI to run", 30s, [&] {
      const auto answer = loop.api().get(vmis_path() + "/demo");
      return answer.status == 200 && answer.json().value("/status/phase"_json_pointer, "") == "Running";
    });
  };
  const auto ask = [&](const std::string& what) {
    const std::string path = "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/demo/" + what;
    const auto answer = loop.api().put(path, "{}");
    REQUIRE_MESSAGE(answer.status == 202, answer.body);
  };
  wait_running();
  const fs::path image = dir.path() / "stick.img";
  make_random_image(image, kMiB, 1);
  Client client(dir, "client", loop, {.image = image}, "demo");

  ask("stop");
  client.process().wait_err("VMI default/demo [^\n]*waiting until", 30s);
  wait_until("the VMI to be gone", 30s, [&] { return loop.api().get(vmis_path() + "/demo").status == 404; });
  ask("start");
  client.process().wait_err("Redirecting 0951:1666 [^\n]* to VMI default/demo again", 40s);

  REQUIRE(loop.api().remove(vms + "/demo").status == 200);
  CHECK(client.process().wait_exit(30s).code == 1);
  // It looks while the guest goes down, or after.
  const std::string said = client.process().err();
  const bool is_told =
      contains(said, "VMI default/demo has been deleted.") || contains(said, "VMI default/demo is being deleted.");
  CHECK_MESSAGE(is_told, said);
}

TEST_CASE("SIGTERM to the launcher powers its guests off, and nothing of them is left") {
  Desk desk;
  Client client = desk.client("client");
  wait_disk(desk.guest, "1-1");
  const pid_t qemu = desk.vmi.qemu_pid();
  desk.loop.stop_launcher();
  CHECK_FALSE(process_exists(qemu));
  CHECK(client.process().wait_exit(5s).code == 1);
  CHECK(desk.vmi.object().at("status").at("phase") == "Succeeded");
  CHECK(processes_of(desk.loop.run_dir("node-a")).empty());
  desk.loop.stop_apiserver();
  CHECK(processes_of(desk.dir.path()).empty());
}

TEST_CASE("two loops side by side keep to themselves") {
  const CaseDir dir;
  Loop one(dir, {.dir = "one"});
  Loop two(dir, {.dir = "two"});
  Vmi vmi_one(one, "demo");
  Vmi vmi_two(two, "demo");
  const auto redirect = [&](const std::string& name, Loop& loop, Vmi& vmi, std::uint64_t seed) {
    GuestConsole& guest = vmi.boot();
    const fs::path image = dir.path() / (name + ".img");
    const std::string sha = make_random_image(image, kMiB, seed);
    Client client(dir, name, loop, {.image = image}, "demo");
    CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), kMiB) == sha);
    return client;
  };
  Client client_one = redirect("client-one", one, vmi_one, 1);
  Client client_two = redirect("client-two", two, vmi_two, 2);
  client_one.stop();
  vmi_one.remove();
  CHECK(client_two.process().running());
  CHECK(vmi_two.object().at("status").at("phase") == "Running");
  client_two.stop();
}

TEST_CASE("two nodes: the node selector places the VMI, and its sessions go to its node") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {"node-a", "node-b"}});
  Vmi vmi(loop, "demo", {.node_selector = {{"kubernetes.io/hostname", "node-b"}}});
  GuestConsole& guest = vmi.boot();
  CHECK(vmi.object().at("status").at("nodeName") == "node-b");
  const fs::path image = dir.path() / "stick.img";
  const std::string sha = make_random_image(image, kMiB, 1);
  Client client(dir, "client", loop, {.image = image}, "demo");
  CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), kMiB) == sha);
  client.stop();
}

TEST_CASE("a VMI with an hour to power off runs, and its guest powers off in order when it is deleted") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo", {.grace_seconds = 3600});
  vmi.boot();
  const std::string pod = "/api/v1/namespaces/default/pods?labelSelector=kubevirt.io%2Fcreated-by%3D" + vmi.uid();
  CHECK(loop.api().get(pod).json().at("items").at(0).at("spec").at("terminationGracePeriodSeconds") == 3615);
  const pid_t qemu = vmi.qemu_pid();
  vmi.remove(60s);
  CHECK(holds_within(10s, [&] { return !process_exists(qemu); }));
  // The button was pressed and heard: QEMU had not to be told to quit.
  CHECK(contains(loop.launcher().err(), "VMI default/demo is Succeeded"));
}

TEST_CASE("whoever deletes a VMI may give its guest less time, also while it is paused, and a node waits for none") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo", {.grace_seconds = 86'400});
  vmi.boot();
  const pid_t qemu = vmi.qemu_pid();
  CHECK(loop.api().put(subresource_path("demo", "pause"), "{}").status == 200);
  wait_until("the guest to be paused", 30s, [&] { return contains(vmi.object().dump(), "PausedByUser"); });
  const std::string path = vmis_path() + "/demo";
  CHECK(loop.api().remove(path).status == 200);
  wait_until("the stop to begin", 30s, [&] { return contains(loop.launcher().err(), "stopping the guest of VMI"); });
  CHECK(process_exists(qemu));
  SUBCASE("by a second deletion") {
    CHECK(loop.api().remove(path + "?gracePeriodSeconds=0").status == 200);
    CHECK(holds_within(60s, [&] { return loop.api().get(path).status == 404; }));
    CHECK_FALSE(process_exists(qemu));
  }
  SUBCASE("by the end of the node") {
    loop.stop_launcher();
    CHECK_FALSE(process_exists(qemu));
  }
}

TEST_CASE("a VMI that is deleted while it boots does not wait for its guest") {
  const CaseDir dir;
  Loop loop(dir, {.clones = false});
  Vmi vmi(loop, "demo", {.grace_seconds = 3600});
  vmi.wait_phase("Running");
  const pid_t qemu = vmi.qemu_pid();
  vmi.remove(60s);
  CHECK(holds_within(10s, [&] { return !process_exists(qemu); }));
}

TEST_CASE("nobody who may only edit takes a VMI from its node, and a lost label comes back") {
  const CaseDir dir;
  Loop loop(dir);
  const Vmi vmi(loop, "demo");
  vmi.wait_phase("Running");
  const pid_t qemu = vmi.qemu_pid();
  const std::string path = vmis_path() + "/demo";
  const json no_label = {{"metadata", {{"labels", {{"kubevirt.io/nodeName", nullptr}}}}}};
  CHECK(loop.api().merge_patch(path, no_label).status == 422);
  CHECK(loop.api().merge_patch(path, {{"status", {{"nodeName", "node-b"}, {"phase", "Failed"}}}}).status == 200);
  CHECK(vmi.object().at("status").at("nodeName") == "node-a");
  // Somebody of KubeVirt's may; the guest lives on all the same.
  REQUIRE(Api(loop.node_kubeconfig()).merge_patch(path, no_label).status == 200);
  wait_until("the label to come back", 20s, [&] {
    return vmi.object().at("metadata").value("/labels/kubevirt.io~1nodeName"_json_pointer, "") == "node-a";
  });
  CHECK(process_exists(qemu));
  CHECK(vmi.object().at("status").at("phase") == "Running");
}
