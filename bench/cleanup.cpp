#include "bench/cleanup.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/failure.h"

namespace usbloop::bench {
namespace {

namespace fs = std::filesystem;

std::mutex& mutex() {
  static std::mutex only;
  return only;
}

std::set<fs::path>& directories() {
  static std::set<fs::path> paths;
  return paths;
}

void remove_with_processes(const fs::path& path) {
  e2e::kill_and_reap(path);
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

void end_cleanly_on_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    int number = 0;
    while (::sigwait(&set, &number) != 0) {
    }
    const std::lock_guard lock(mutex());  // held to the end: nobody makes or removes a directory any more
    for (const fs::path& path : directories()) remove_with_processes(path);
    ::_exit(128 + number);
  }).detach();
}

BenchDir::BenchDir() {
  const std::lock_guard lock(mutex());
  std::string pattern = (fs::canonical(fs::temp_directory_path()) / "usbloop-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw e2e::Failure("cannot make a directory like " + pattern);
  path_ = pattern;
  directories().insert(path_);
}

BenchDir::~BenchDir() {
  const std::lock_guard lock(mutex());
  remove_with_processes(path_);
  directories().erase(path_);
}

HarnessHome::HarnessHome() { ::setenv("TMPDIR", own_.path().c_str(), 1); }

}  // namespace usbloop::bench
