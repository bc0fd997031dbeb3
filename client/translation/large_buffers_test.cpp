#include "client/translation/large_buffers.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <thread>

using namespace usbloop;

#ifdef __has_feature
#define USBLOOP_HAS_FEATURE(name) __has_feature(name)
#else
#define USBLOOP_HAS_FEATURE(name) 0
#endif

// A sanitizer has an allocator of its own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !USBLOOP_HAS_FEATURE(address_sanitizer) && !USBLOOP_HAS_FEATURE(thread_sanitizer)
namespace {

/// Page faults of this thread while it takes, fills and frees a command's buffer several times.
long faults_of_buffers() {
  const auto faults = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt;
  };
  void* (*volatile take)(std::size_t) = std::malloc;  // or the compiler sees that nobody needs it
  const long before = faults();
  for (int i = 0; i < 16; ++i) {
    void* const buffer = take(std::size_t{1} << 20);
    std::memset(buffer, i + 1, std::size_t{1} << 20);
    std::free(buffer);
  }
  return faults() - before;
}

}  // namespace

TEST_CASE("the buffers of a command are not given back to the system each time, on any thread") {
  client::keep_large_buffers();
  std::thread([] {
    const long first = faults_of_buffers();
    CHECK(first < 2 * 256);  // a buffer has 256 pages
    CHECK(faults_of_buffers() < 64);
  }).join();
}
#endif
