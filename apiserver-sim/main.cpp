#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <thread>

#include "apiserver-sim/options.h"
#include "apiserver-sim/server.h"
#include "common/log.h"
#include "common/shown_text.h"
#include "common/version.h"

namespace {

int fail(const usbloop::Error& error) {
  spdlog::error("{}{}{}", error.message(), error.hint.empty() ? "" : ". ", error.hint);
  return 1;
}

/// Stops in order; a signal that comes meanwhile cuts what is still running.
void stop(usbloop::apiserver::ApiServer& server, const sigset_t& signals) {
  std::atomic<bool> stopped = false;
  const pthread_t waiting = pthread_self();
  std::thread stopper([&] {
    server.stop();
    stopped = true;
    pthread_kill(waiting, SIGTERM);  // wakes the sigwait below
  });
  while (!stopped) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (stopped) break;
    spdlog::info("asked again: cutting what is left");
    server.cut();
  }
  stopper.join();
}

int run(int argc, char** argv) {
  using usbloop::apiserver::ApiServer;
  const auto parsed = usbloop::apiserver::parse_options(argc, argv, usbloop::version());
  if (!parsed.options) return parsed.exit_code;
  if (auto logging = usbloop::init_logging("apiserver-sim", parsed.options->log_level); !logging) {
    std::fprintf(stderr, "apiserver-sim: %s. %s\n", logging.error().message().c_str(), logging.error().hint.c_str());
    return 2;
  }
  // Blocked before the first thread starts, so that all of them have it so, and sigwait below is the one who gets them.
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
  std::printf("apiserver-sim ready: %s\n", (*server)->url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("ending: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  stop(**server, signals);
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
