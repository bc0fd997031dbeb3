#include "device-sim/input/mouse.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "common/test_text.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/kinds.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using device_sim::test::Reply;
using usbloop::testing::contains;
using namespace std::chrono_literals;

namespace {

Time mouse_time;

struct MouseRig {
  explicit MouseRig(const std::string& script) {
    mouse_time = Time() + 1h;
    auto steps = mouse_steps(script);
    REQUIRE(steps);
    MouseOptions options;
    options.steps = *steps;
    rig = std::make_unique<DeviceRig>(std::make_unique<Mouse>(std::move(options)), [] { return mouse_time; });
    rig->configure();
  }

  /// The reports that come while the clock goes on, as bytes with signs.
  std::vector<std::vector<int>> reports_in(std::chrono::milliseconds time) {
    std::vector<std::vector<int>> seen;
    for (std::chrono::milliseconds at{0}; at < time; at += 1ms) {
      mouse_time += 1ms;
      rig->host->look();
      for (const Reply& reply : rig->interrupts()) {
        std::vector<int>& report = seen.emplace_back();
        for (const std::byte byte : reply.data) report.push_back(std::to_integer<std::int8_t>(byte));
      }
    }
    return seen;
  }

  std::unique_ptr<DeviceRig> rig;
};

std::string script_refusal(const std::string& script) {
  const auto steps = mouse_steps(script);
  REQUIRE_FALSE(steps);
  CHECK(steps.error().kind == ErrorKind::invalid);
  return steps.error().message();
}

}  // namespace

TEST_CASE("a script of the mouse becomes steps, and a long way several that add up") {
  const auto steps = mouse_steps("move:10:-5  press:left wheel:-2 move:-300:100 click:right release:left");
  REQUIRE(steps);
  REQUIRE(steps->size() == 9);
  CHECK((*steps)[0] == MouseStep{0, 10, -5, 0});
  CHECK((*steps)[1] == MouseStep{1, 0, 0, 0});
  CHECK((*steps)[2] == MouseStep{1, 0, 0, -2});
  int x = 0;
  int y = 0;
  for (std::size_t at = 3; at < 6; ++at) {
    CHECK(int{(*steps)[at].buttons} == 1);
    x += (*steps)[at].x;
    y += (*steps)[at].y;
  }
  CHECK(x == -300);
  CHECK(y == 100);
  CHECK((*steps)[6] == MouseStep{3, 0, 0, 0});
  CHECK((*steps)[7] == MouseStep{1, 0, 0, 0});
  CHECK((*steps)[8] == MouseStep{});
  const auto far = mouse_steps("move:100000:-100000");
  REQUIRE(far);
  CHECK(far->size() == 788);
}

TEST_CASE("what a mouse cannot do is refused by its name") {
  for (const char* word : {"move", "move:1", "move:1:", "move:x:1", "move:1:2:3", "move:100001:0",
                           "wheel:", "click:side", "click", "hold:left", ":", "move: 1:1"}) {
    CHECK_MESSAGE(contains(script_refusal(std::string("click:left ") + word), "cannot do that"), word);
  }
  std::string endless;
  for (int i = 0; i < 84; ++i) endless += "move:100000:0 ";
  CHECK(contains(script_refusal(endless), "longer than 65536 steps"));
}

TEST_CASE("the mouse makes its steps once, when the guest receives, in boot protocol without a wheel") {
  MouseRig mouse("move:1:2 click:left wheel:3");
  CHECK(int{mouse.rig->guest.interfaces.interface_protocol[0]} == 2);
  CHECK(mouse.reports_in(2s).empty());
  mouse.rig->start_receiving(HidFunction::kEndpoint);
  CHECK(mouse.reports_in(999ms).empty());
  CHECK(mouse.reports_in(11ms) == std::vector<std::vector<int>>{{0, 1, 2, 0}, {1, 0, 0, 0}});
  CHECK(mouse.rig->control_in(0xa1, 1, 0x0100, 0, 8).data ==
        std::vector<std::byte>{std::byte{1}, std::byte{0}, std::byte{0}, std::byte{0}});
  CHECK(int{mouse.rig->control_out(0x21, 11, 0, 0).status} == usb_redir_success);
  CHECK(mouse.reports_in(10s) == std::vector<std::vector<int>>{{0, 0, 0}, {0, 0, 0}});
}

TEST_CASE("a mouse has no idle rate and takes no report") {
  MouseRig mouse("click:left");
  const std::byte one[] = {std::byte{1}};
  CHECK(int{mouse.rig->control_out(0x21, 10, 0, 0).status} == usb_redir_stall);
  CHECK(int{mouse.rig->control_in(0xa1, 2, 0, 0, 1).status} == usb_redir_stall);
  CHECK(int{mouse.rig->control_out(0x21, 9, 0x0200, 0, one).status} == usb_redir_stall);
  CHECK(int{mouse.rig->control_in(0xa1, 1, 0x0200, 0, 1).status} == usb_redir_stall);
}

TEST_CASE("a mouse is described in words") {
  const auto plain = make_host_end("mouse");
  REQUIRE(plain);
  CHECK((*plain)->device().id() == "046d:c077");
  CHECK(make_host_end("mouse,do=move:1:1 click:left,delay=0,pace=20,speed=full,serial=M1,id=1:2"));
  const auto wrong = make_host_end("mouse,do=jump");
  REQUIRE_FALSE(wrong);
  CHECK(contains(wrong.error().message(), "'jump'"));
}
