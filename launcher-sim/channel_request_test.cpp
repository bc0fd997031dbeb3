#include "launcher-sim/channel_request.h"

#include <doctest/doctest.h>

using namespace usbloop::launcher;
using Kind = ChannelRequest::Kind;

namespace {

const std::string kVmi = "/v1/namespaces/default/virtualmachineinstances/demo/";

}  // namespace

TEST_CASE("targets are taken apart strictly") {
  const auto request = parse_channel_request("GET", kVmi + "usbredir?x=y");
  REQUIRE(request);
  CHECK(request->kind == Kind::usbredir);
  CHECK(request->vmi_namespace == "default");
  CHECK(request->name == "demo");
  CHECK(parse_channel_request("GET", kVmi + "console")->kind == Kind::console);
  for (const std::string target :
       {"", "/", "v1", "/v1/namespaces//virtualmachineinstances/demo/usbredir",
        "/v1/namespaces/default/virtualmachineinstances/demo/usbredir/",
        "/v1/namespaces/default/virtualmachineinstances/demo/nonsense",
        "/v1/namespaces/default/virtualmachineinstances/demo", "/v1/namespaces/default/pods/demo/usbredir"}) {
    CAPTURE(target);
    CHECK_FALSE(parse_channel_request("GET", target));
  }
}

TEST_CASE("a request for VNC says whether it takes over") {
  CHECK(parse_channel_request("GET", kVmi + "vnc")->kind == Kind::vnc);
  CHECK_FALSE(parse_channel_request("GET", kVmi + "vnc")->preserve_session);
  CHECK_FALSE(parse_channel_request("GET", kVmi + "vnc?preserveSession=false")->preserve_session);
  CHECK_FALSE(parse_channel_request("GET", kVmi + "vnc?xpreserveSession=true")->preserve_session);
  CHECK(parse_channel_request("GET", kVmi + "vnc?preserveSession=true")->preserve_session);
  CHECK(parse_channel_request("GET", kVmi + "vnc?a=b&preserveSession=true&")->preserve_session);
}

TEST_CASE("actions are PUT, and only they are") {
  const auto pause = parse_channel_request("PUT", kVmi + "pause");
  REQUIRE(pause);
  CHECK(pause->kind == Kind::action);
  CHECK(pause->guest_action == GuestAction::pause);
  CHECK(parse_channel_request("PUT", kVmi + "softreboot")->guest_action == GuestAction::softreboot);
  CHECK(parse_channel_request("PUT", kVmi + "freeze")->kind == Kind::agent);
  CHECK(parse_channel_request("GET", kVmi + "guestosinfo")->kind == Kind::agent);
  CHECK_FALSE(parse_channel_request("GET", kVmi + "pause"));
  CHECK_FALSE(parse_channel_request("PUT", kVmi + "console"));
  CHECK_FALSE(parse_channel_request("POST", kVmi + "pause"));
}
