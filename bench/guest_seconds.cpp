#include "bench/guest_seconds.h"

#include <sstream>

#include "e2e/harness/failure.h"

namespace usbloop::bench {

double guest_seconds(e2e::GuestConsole& guest, const std::string& command, e2e::milliseconds timeout) {
  const std::string said = guest.must_run(
      "ok=yes; read begin rest </proc/uptime; " + command + "; read end rest </proc/uptime; echo $ok $begin $end",
      timeout);
  std::istringstream words(said);
  std::string fine;
  double begin = 0;
  double end = 0;
  if (!(words >> fine >> begin >> end) || fine != "yes" || end <= begin) {
    throw e2e::Failure("the guest said: " + said);
  }
  return end - begin;
}

}  // namespace usbloop::bench
