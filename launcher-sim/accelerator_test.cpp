#include "launcher-sim/accelerator.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>

#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;

namespace {

/// A host whose QEMU is this shell script.
QemuHost host_with(const test::TestDirectory& directory, const std::string& script) {
  const std::string path = directory / "qemu";
  std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
  ::chmod(path.c_str(), 0700);
  QemuHost host;
  host.qemu = path;
  host.kernel = "/guest/vmlinux";
  return host;
}

}  // namespace

TEST_CASE("a device that is missing or is no KVM ends in TCG") {
  const test::TestDirectory directory;
  const QemuHost host = host_with(directory, "echo Linux version 6.1");
  CHECK(probe_kvm(host, "/no/such/device", 1s).cause == "No such file or directory");
  CHECK(probe_kvm(host, "/dev/null", 1s).cause == "it does not speak KVM's API");
  CHECK(*choose_accelerator("auto", host, "/dev/null", 1s) == "tcg");
  const auto insisted = choose_accelerator("kvm", host, "/dev/null", 1s);
  CHECK(insisted.error().kind == ErrorKind::unavailable);
  CHECK(insisted.error().hint == "Use --accel tcg for software emulation.");
}

TEST_CASE("asked for TCG, nothing is probed") {
  const test::TestDirectory directory;
  const QemuHost host = host_with(directory, "touch $(dirname $0)/ran");
  CHECK(*choose_accelerator("tcg", host, "/dev/kvm", 1s) == "tcg");
  CHECK_FALSE(std::filesystem::exists(directory / "ran"));
}

TEST_CASE("only a trial guest that speaks in time is proof") {
  const test::TestDirectory directory;
  const auto trial = [&](const std::string& script, std::chrono::milliseconds time) {
    return try_guest(host_with(directory, script), time);
  };
  CHECK(trial("echo '[    0.0] Linux version 6.1'; exec sleep 60", 10s).works);
  CHECK(trial("exit 3", 10s).cause == "QEMU gave up on a trial guest with exit code 3");
  CHECK(trial("kill -6 $$", 10s).cause == "QEMU gave up on a trial guest with signal 6 (Aborted)");
  const auto began = std::chrono::steady_clock::now();
  CHECK(trial("exec sleep 60", 100ms).cause == "a trial guest did not run within 100 ms");
  CHECK(trial("while :; do echo nonsense; done", 10s).works == false);
  CHECK(std::chrono::steady_clock::now() - began < 20s);
  QemuHost nowhere;
  nowhere.qemu = "/no/such/qemu";
  CHECK_FALSE(try_guest(nowhere, 1s).works);
}

TEST_CASE("on this machine the probe comes to an answer within seconds") {
  const test::TestDirectory directory;
  const QemuHost host = host_with(directory, "exec sleep 60");
  const auto began = std::chrono::steady_clock::now();
  CHECK(*choose_accelerator("auto", host, "/dev/kvm", 300ms) == "tcg");
  CHECK(std::chrono::steady_clock::now() - began < 5s);
}
