#include "launcher-sim/accelerator.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "common/fd.h"
#include "common/log.h"
#include "common/process.h"

namespace usbloop::launcher {
namespace {

using Clock = std::chrono::steady_clock;

/// How the kernel's first line begins.
constexpr std::string_view kSignOfLife = "Linux version";
constexpr std::size_t kMaxOutput = 64 * 1024;

/// Whether the device can be KVM at all; the cause when it cannot.
std::optional<std::string> unusable(const std::string& device) {
  const Fd kvm(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (!kvm) return std::strerror(errno);
  if (::ioctl(kvm.get(), KVM_GET_API_VERSION, 0) != KVM_API_VERSION) return "it does not speak KVM's API";
  return std::nullopt;
}

std::vector<std::string> probe_command(const QemuHost& host) {
  return {host.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35,accel=kvm",
          "-cpu", "host", "-m", "size=128M", "-kernel", host.kernel,
          // No initramfs: the kernel gives up at once after it has spoken.
          "-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1", "-serial", "stdio"};
}

/// Reads until the text is there (true) or the stream ends or the time is over (false).
bool hears(int fd, std::string_view sign, std::chrono::milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  std::string heard;
  while (heard.size() < kMaxOutput) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{fd, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0 && errno != EINTR) return false;
    if (entry.revents == 0) continue;
    std::array<char, 4096> buffer{};
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return false;
    heard.append(buffer.data(), static_cast<std::size_t>(got));
    if (heard.find(sign) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

KvmProbe try_guest(const QemuHost& host, std::chrono::milliseconds timeout) {
  ProcessSpec spec;
  spec.argv = probe_command(host);
  spec.environment = qemu_environment();
  spec.clean_environment = true;
  spec.standard_output = Output::to_pipe();
  spec.standard_error = Output::to_null();
  auto qemu = Process::spawn(spec);
  if (!qemu) return {false, qemu.error().message()};
  const Fd console = qemu->take_output();
  if (hears(console.get(), kSignOfLife, timeout)) return {true, {}};
  if (const auto ended = qemu->try_wait()) return {false, "QEMU gave up on a trial guest with " + ended->text()};
  if (const auto ended = qemu->wait(std::chrono::milliseconds(200))) {
    return {false, "QEMU gave up on a trial guest with " + ended->text()};
  }
  return {false, "a trial guest did not run within " + std::to_string(timeout.count()) + " ms"};
}

KvmProbe probe_kvm(const QemuHost& host, const std::string& device, std::chrono::milliseconds timeout) {
  if (const auto cause = unusable(device)) return {false, *cause};
  return try_guest(host, timeout);
}

Result<std::string> choose_accelerator(const std::string& wanted, const QemuHost& host, const std::string& device,
                                       std::chrono::milliseconds timeout) {
  if (wanted == "tcg") {
    spdlog::info("guests run under software emulation (TCG), as asked");
    return "tcg";
  }
  const KvmProbe probe = probe_kvm(host, device, timeout);
  if (probe.works) {
    spdlog::info("guests run with hardware virtualisation (KVM): {} has run a trial guest", device);
    return "kvm";
  }
  if (wanted == "kvm") {
    return make_error(ErrorKind::unavailable, "use the accelerator kvm of", device, probe.cause,
                      "Use --accel tcg for software emulation.");
  }
  spdlog::info("guests run under software emulation (TCG), because {} cannot be used: {}", device, probe.cause);
  return "tcg";
}

}  // namespace usbloop::launcher
