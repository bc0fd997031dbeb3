// A node's channel as a process of its own, without guests: the channel server of launcher-sim for one VMI whose slots'
// sockets somebody else listens on.
//
//     slot-node CHANNEL VMI DIRECTORY [--no-handoff]
#include <sys/prctl.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <string_view>

#include "common/log.h"
#include "launcher-sim/channel_server.h"

namespace launcher = usbloop::launcher;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const bool handoff = argc < 5 || std::string_view(argv[4]) != "--no-handoff";
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  static_cast<void>(usbloop::init_logging("slot-node", "debug"));
  asio::io_context loop(1);
  launcher::GuestRegistry guests;
  guests.put("default", argv[2], {"uid", argv[3]});
  launcher::ChannelServerOptions options;
  options.handoff = handoff;
  options.websocket.ping_interval = 1s;
  options.websocket.peer_timeout = 2s;
  launcher::ChannelServer server(loop, guests, options);
  if (const auto listening = server.listen(argv[1]); !listening) {
    std::cerr << listening.error().message() << std::endl;
    return 1;
  }
  asio::signal_set signals(loop, SIGTERM);
  signals.async_wait([&](const asio::error_code&, int) { loop.stop(); });
  std::cout << "ready" << std::endl;
  loop.run();
  return 0;
}
