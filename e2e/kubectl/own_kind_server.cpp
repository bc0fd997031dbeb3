// apiserver-sim with one schema file more, of whose kind no code knows.
#include <csignal>
#include <cstdio>

#include "apiserver-sim/options.h"
#include "apiserver-sim/server.h"
#include "common/log.h"
#include "common/version.h"
#include "kube-sim/request/files.h"

namespace usbloop::apiserver {
namespace {

int run(int argc, char** argv) {
  auto parsed = parse_options(argc, argv, version());
  if (!parsed.options) return parsed.exit_code;
  if (!init_logging("own-kind-server", parsed.options->log_level)) return 2;
  const auto schema = read_file(USBLOOP_OWN_KIND);
  if (!schema) {
    std::fprintf(stderr, "%s\n", schema.error().message().c_str());
    return 1;
  }
  parsed.options->more_schemas.push_back(*schema);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto server = ApiServer::start(*parsed.options);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message().c_str());
    return 1;
  }
  std::printf("apiserver-sim ready: %s\n", (*server)->url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->stop();
  return 0;
}

}  // namespace
}  // namespace usbloop::apiserver

int main(int argc, char** argv) { return usbloop::apiserver::run(argc, argv); }
