#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <semaphore>
#include <thread>
#include <vector>

#include "apiserver-sim/options.h"
#include "apiserver-sim/server.h"
#include "common/error.h"
#include "common/log.h"
#include "common/shown_text.h"
#include "common/version.h"

namespace {

int fail(const usbloop::Error& error) {
  spdlog::error("{}{}{}", error.message(), error.hint.empty() ? "" : ". ", error.hint);
  return 1;
}

/// Stops the server in order, in a thread that is made at the start, with memory of its own: when the memory is used up
/// later (ulimit -v), there may be no room for a thread, nor for what stopping takes.
class Stopper {
 public:
  /// Throws std::system_error or std::bad_alloc when there is no room for the thread. Block the signals before.
  explicit Stopper(usbloop::apiserver::ApiServer& server)
      : server_(server), thread_([this, waiting = pthread_self()] { run(waiting); }) {
    ready_.acquire();
    if (has_reserve_) return;
    begin_.release();
    thread_.join();
    throw std::bad_alloc();
  }
  ~Stopper() {
    begin_.release();
    thread_.join();
  }
  Stopper(const Stopper&) = delete;
  Stopper& operator=(const Stopper&) = delete;

  /// Waits for the end; a signal that comes meanwhile cuts what is still running.
  void stop(const sigset_t& signals) {
    begin_.release();
    while (!stopped_) {
      int signal = 0;
      sigwait(&signals, &signal);
      if (stopped_) break;
      spdlog::info("asked again: cutting what is left");
      server_.cut();
    }
  }

 private:
  void run(pthread_t waiting) {
    // In the thread that needs it, as the C library keeps what is free by threads, and in pieces that it keeps so.
    std::vector<std::vector<char>> reserve;
    try {
      for (int piece = 0; piece < 16; ++piece) reserve.emplace_back(std::size_t{64} << 10);
      has_reserve_ = true;
    } catch (const std::bad_alloc&) {
    }
    ready_.release();
    begin_.acquire();
    if (!has_reserve_) return;
    reserve.clear();
    server_.stop();
    stopped_ = true;
    pthread_kill(waiting, SIGTERM);  // wakes the sigwait of stop()
  }

  usbloop::apiserver::ApiServer& server_;
  std::binary_semaphore ready_{0};
  bool has_reserve_ = false;  ///< told by ready_
  std::counting_semaphore<2> begin_{0};
  std::atomic<bool> stopped_ = false;
  std::thread thread_;  // last: it uses the others
};

/// As ApiServer::start(): an error says that the limits of this process are too low.
usbloop::Result<std::unique_ptr<Stopper>> make_stopper(usbloop::apiserver::ApiServer& server) {
  try {
    return std::make_unique<Stopper>(server);
  } catch (const std::exception& error) {
    return usbloop::make_error(usbloop::ErrorKind::internal, "start", "", error.what(),
                               "Is there memory enough for this process (ulimit -v, or its container's limit)?");
  }
}

int run(int argc, char** argv) {
  using usbloop::apiserver::ApiServer;
  const auto parsed = usbloop::apiserver::parse_options(argc, argv, usbloop::version());
  if (!parsed.options) return parsed.exit_code;
  if (auto logging = usbloop::init_logging("apiserver-sim", parsed.options->log_level); !logging) {
    std::fprintf(stderr, "apiserver-sim: %s. %s\n", logging.error().message().c_str(), logging.error().hint.c_str());
    return 2;
  }
  // Blocked before the first thread starts: all threads inherit it, and only the sigwait below gets the signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A file that may not grow any more (RLIMIT_FSIZE) is a full disk: the write fails, the server does not.
  std::signal(SIGXFSZ, SIG_IGN);
  usbloop::apiserver::Limits limits;
  limits.stop_grace = std::chrono::seconds(parsed.options->shutdown_grace_seconds);
  auto server = ApiServer::start(*parsed.options, limits);
  if (!server) return fail(server.error());
  const auto stopper = make_stopper(**server);
  if (!stopper) return fail(stopper.error());
  std::printf("apiserver-sim ready: %s\n", (*server)->url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("ending: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  (*stopper)->stop(signals);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "apiserver-sim: %s\n", usbloop::one_line(error.what()).c_str());
    return 1;
  }
}
