#include <csignal>
#include <cstdio>

#include "apiserver-sim/options.h"
#include "apiserver-sim/server.h"
#include "common/log.h"

namespace {

int fail(const usbloop::Error& error) {
  spdlog::error("{}{}{}", error.message(), error.hint.empty() ? "" : ". ", error.hint);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using usbloop::apiserver::ApiServer;
  const auto parsed = usbloop::apiserver::parse_options(argc, argv);
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
  auto server = ApiServer::start(*parsed.options);
  if (!server) return fail(server.error());
  std::printf("apiserver-sim ready: %s\n", (*server)->url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("ending: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  server->reset();
  return 0;
}
