#include "launcher-sim/accelerator.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "common/fd.h"
#include "common/log.h"

namespace usbloop::launcher {
namespace {

/// What the child's exit code means; 0 is a guest that ran.
enum Outcome : int { ran = 0, cannot_open, wrong_version, cannot_set_up, did_not_halt };

const char* describe(int outcome) {
  switch (outcome) {
    case cannot_open: return "it cannot be opened";
    case wrong_version: return "it does not speak KVM's API";
    case cannot_set_up: return "it makes no virtual machine";
    default: return "its virtual machine does not run";
  }
}

/// A machine with one page that holds the instruction HLT, run until it halts. In the child: no memory is freed.
int run_one_instruction(const char* device) {
  constexpr std::uint64_t kPage = 4096;
  const int kvm = ::open(device, O_RDWR | O_CLOEXEC);
  if (kvm < 0) return cannot_open;
  if (::ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) return wrong_version;
  const int machine = ::ioctl(kvm, KVM_CREATE_VM, 0);
  void* memory = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (machine < 0 || memory == MAP_FAILED) return cannot_set_up;
  static_cast<unsigned char*>(memory)[0] = 0xF4;  // HLT
  kvm_userspace_memory_region region{};
  region.guest_phys_addr = kPage;
  region.memory_size = kPage;
  region.userspace_addr = reinterpret_cast<std::uint64_t>(memory);
  if (::ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) != 0) return cannot_set_up;

  const int processor = ::ioctl(machine, KVM_CREATE_VCPU, 0);
  const int run_size = ::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (processor < 0 || run_size <= 0) return cannot_set_up;
  void* state = ::mmap(nullptr, static_cast<std::size_t>(run_size), PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
  kvm_sregs segments{};
  if (state == MAP_FAILED || ::ioctl(processor, KVM_GET_SREGS, &segments) != 0) return cannot_set_up;
  segments.cs.base = 0;
  segments.cs.selector = 0;
  kvm_regs registers{};
  registers.rip = kPage;
  registers.rflags = 2;  // the bit that is always set
  if (::ioctl(processor, KVM_SET_SREGS, &segments) != 0 || ::ioctl(processor, KVM_SET_REGS, &registers) != 0) {
    return cannot_set_up;
  }
  if (::ioctl(processor, KVM_RUN, 0) != 0) return did_not_halt;
  return static_cast<kvm_run*>(state)->exit_reason == KVM_EXIT_HLT ? ran : did_not_halt;
}

}  // namespace

KvmProbe probe_kvm(const std::string& device, std::chrono::milliseconds timeout) {
  if (::access(device.c_str(), R_OK | W_OK) != 0) return {false, std::strerror(errno)};
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return {false, std::strerror(errno)};
  const Fd alive(ends[0]);
  Fd child_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return {false, std::strerror(errno)};
  if (child == 0) ::_exit(run_one_instruction(device.c_str()));
  child_end.reset();

  // The pipe's other end closes when the child ends, whatever way.
  pollfd ended{alive.get(), POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(timeout.count())) == 0) {
    ::kill(child, SIGKILL);
    // Not waited for without end: a virtual processor that hangs in the kernel may not die at once.
    for (int tries = 0; tries < 100 && ::waitpid(child, nullptr, WNOHANG) == 0; ++tries) ::poll(nullptr, 0, 10);
    return {false, "its virtual machine did not run within " + std::to_string(timeout.count()) + " ms"};
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == ran) return {true, {}};
  return {false, WIFEXITED(status) ? describe(WEXITSTATUS(status)) : "its virtual machine crashed the probe"};
}

Result<std::string> choose_accelerator(const std::string& wanted, const std::string& device) {
  if (wanted == "tcg") {
    spdlog::info("guests run under software emulation (TCG), as asked");
    return "tcg";
  }
  const KvmProbe probe = probe_kvm(device, std::chrono::seconds(2));
  if (probe.works) {
    spdlog::info("guests run with hardware virtualisation: {} runs a guest", device);
    return "kvm";
  }
  if (wanted == "kvm") {
    return make_error(ErrorKind::unavailable, "use the accelerator kvm of", device, probe.cause,
                      "Use --accel tcg for software emulation.");
  }
  spdlog::info("guests run under software emulation (TCG): {}: {}", device, probe.cause);
  return "tcg";
}

}  // namespace usbloop::launcher
