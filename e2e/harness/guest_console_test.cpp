// The tests' hands in the guest: the shell that they type to, and the lines that they wait for.
#include "e2e/harness/guest_console.h"

#include <doctest/doctest.h>

#include "e2e/harness/failure.h"
#include "e2e/harness/plain_guest.h"

using namespace usbloop::e2e;

TEST_CASE("the shell that the tests type to outlives its background commands and Ctrl-C") {
  const CaseDir dir;
  PlainGuest guest(dir, {});
  GuestConsole& console = guest.boot();
  const std::string shell = console.must_run("echo $$");

  // Each ends while the shell waits for the next line.
  for (int round = 0; round < 5; ++round) {
    console.must_run("sleep 0.1 && echo over >/tmp/over & echo $! >/tmp/pid");
    wait_until("the background command to end", 10s,
               [&] { return console.run("kill -0 $(cat /tmp/pid) 2>/dev/null").status != 0; });
    console.must_run("{ (sleep 0.1; echo usbloop-guest: round " + std::to_string(round) + ") & }");
    CHECK_NOTHROW(console.wait_for_line("usbloop-guest: round " + std::to_string(round), 10s));
  }
  CHECK(console.must_run("echo $$") == shell);
  CHECK(console.run("(exit 3) & wait $!").status == 3);

  console.start("sleep 1000");
  console.start_over();
  CHECK(console.must_run("echo $$") == shell);

  // Longer than a line editor takes.
  const std::string long_word(3000, 'x');
  CHECK(console.must_run("echo " + long_word) == long_word);
}

TEST_CASE("a line that is waited for is returned whole") {
  const CaseDir dir;
  PlainGuest guest(dir, {});
  GuestConsole& console = guest.boot();
  console.start("printf 'usbloop-guest: usb add half '; sleep 1; echo 'path=1-1'");
  CHECK(console.wait_for_line("usbloop-guest: usb add", 20s) == "usbloop-guest: usb add half path=1-1");
}
