#include "common/short_slices.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>

using namespace usbloop;

namespace {

struct Scheduling {
  std::uint32_t policy = 0;
  std::int32_t nice = 0;
  std::uint64_t slice = 0;  ///< nanoseconds; 0: the kernel knows no slices of threads

  static Scheduling now() {
    std::array<unsigned char, 48> bytes{};
    REQUIRE(::syscall(SYS_sched_getattr, 0, bytes.data(), bytes.size(), 0) == 0);
    Scheduling found;
    std::memcpy(&found.policy, bytes.data() + 4, sizeof found.policy);
    std::memcpy(&found.nice, bytes.data() + 16, sizeof found.nice);
    std::memcpy(&found.slice, bytes.data() + 24, sizeof found.slice);
    return found;
  }
};

}  // namespace

TEST_CASE("a thread that asks for short slices gets them where the kernel has some, and nothing else changes") {
  const Scheduling before = Scheduling::now();
  ask_for_short_slices();
  const Scheduling after = Scheduling::now();
  CHECK(after.policy == before.policy);
  CHECK(after.nice == before.nice);
  if (before.slice == 0) {
    MESSAGE("this kernel has no slices of threads");
  } else {
    CHECK(after.slice == 100'000);
  }
}
