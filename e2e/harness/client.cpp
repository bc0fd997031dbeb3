#include "e2e/harness/client.h"

#include <doctest/doctest.h>

#include <csignal>
#include <regex>

#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::e2e {

Process start_client(const CaseDir& dir, const std::string& name, std::vector<std::string> arguments,
                     std::map<std::string, std::string> env) {
  arguments.insert(arguments.begin(), kubectl_usbredir().string());
  env.try_emplace("HOME", dir.subdir("home").string());
  env.try_emplace("KUBECONFIG", "");
  return Process({.name = name, .argv = std::move(arguments), .log_dir = dir.path(), .env = std::move(env)});
}

ClientEnd run_client(const CaseDir& dir, const std::string& name, std::vector<std::string> arguments,
                     std::map<std::string, std::string> env) {
  Process client = start_client(dir, name, std::move(arguments), std::move(env));
  const ExitStatus status = client.wait_exit(40s);
  return {.status = status, .err = client.err(), .out = client.out()};
}

std::string Stick::spec() const {
  std::string text = "stick,image=" + image.string() + ",id=" + id;
  if (!speed.empty()) text += ",speed=" + speed;
  if (!serial.empty()) text += ",serial=" + serial;
  return text + more;
}

Client::Client(const CaseDir& dir, const std::string& name, const Loop& loop, const Stick& stick,
               const std::string& vmi)
    : process_(start_client(dir, name, {"--kubeconfig", loop.kubeconfig(), "--emulate", stick.spec(), vmi})) {
  process_.wait_err("Redirecting " + stick.id + " [^\n]* to VMI default/" + vmi, 20s);
}

void Client::stop() {
  process_.signal(SIGINT);
  const ExitStatus status = process_.wait_exit(5s);
  CHECK_MESSAGE(status.code == 0, process_.name() << " after Ctrl-C: " << status.text() << ": " << process_.err());
}

std::string wait_disk(GuestConsole& guest, const std::string& port, milliseconds timeout) {
  // Quoted: a pattern without a match must not be looked up again, when the disk may be there.
  const std::string look =
      "for d in /sys/block/sd*; do case \"$(readlink -f \"$d\")\" in */" + port +
      "/*) [ -b \"/dev/${d##*/}\" ] && [ $(cat \"$d/size\") -gt 0 ] && echo ${d##*/};; esac; done 2>/dev/null";
  std::string disk;
  wait_until("a disk on port " + port + " of the guest", timeout, [&] {
    disk = guest.run(look).output;
    return std::regex_match(disk, std::regex("sd[a-z]+"));
  });
  return disk;
}

std::string guest_sha256(GuestConsole& guest, const std::string& disk, std::size_t bytes) {
  const std::string mib = std::to_string(bytes / (1024 * 1024));
  const std::string read = "dd if=/dev/" + disk + " bs=1M count=" + mib + " 2>/dev/null | sha256sum";
  return guest.must_run(read, 60s).substr(0, 64);
}

}  // namespace usbloop::e2e
