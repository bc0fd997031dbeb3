#include "kube-sim/security/subprotocol_token.h"

#include <doctest/doctest.h>

#include "kube-sim/security/authenticator.h"

using namespace usbloop::apiserver;
using usbloop::http::Head;

namespace {

const std::string kBearer = "base64url.bearer.authorization.k8s.io.";
constexpr const char* kSecret = "c2VjcmV0";  // "secret"

Head upgrade(const std::string& protocols) {
  Head head;
  head.headers = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Protocol", protocols}};
  return head;
}

}  // namespace

TEST_CASE("a token beside another subprotocol is read, and the other goes on alone") {
  for (const std::string& protocols :
       {kBearer + kSecret + ", plain.kubevirt.io", "plain.kubevirt.io,\t" + kBearer + kSecret}) {
    Head head = upgrade(protocols);
    const SubprotocolToken found = take_subprotocol_token(head);
    CHECK(found.valid);
    CHECK(found.token == "secret");
    CHECK(head.header("Sec-WebSocket-Protocol") == "plain.kubevirt.io");
  }
  Head head = upgrade(kBearer + kSecret);
  head.headers.emplace_back("sec-websocket-protocol", "a, b");
  CHECK(take_subprotocol_token(head).valid);
  CHECK(head.header("Sec-WebSocket-Protocol") == "a, b");
  head = upgrade("x, " + kBearer + "fn5-Pz8_");  // both letters that base64 has not
  CHECK(take_subprotocol_token(head).token == "~~~???");
}

TEST_CASE("a token that is alone, twice there, padded, no base64url or no UTF-8 is wrong, and gone all the same") {
  for (const std::string& protocols :
       {kBearer + kSecret, kBearer + kSecret + "," + kBearer + kSecret + ",x",
        "x," + kBearer + "c2VjcmU=", "x," + kBearer + "c2Vj cmV0", "x," + kBearer + "c2Vjc", "x," + kBearer + "a+/b",
        "x," + kBearer + "__8", "x," + kBearer}) {
    CAPTURE(protocols);
    Head head = upgrade(protocols);
    const SubprotocolToken found = take_subprotocol_token(head);
    CHECK(found.present);
    CHECK_FALSE(found.valid);
    CHECK(found.token.empty());
    CHECK(head.header("Sec-WebSocket-Protocol").find(kBearer) == std::string::npos);
  }
}

TEST_CASE("what is no upgrade carries no token, and other subprotocols stay as they are") {
  Head head = upgrade("x, " + kBearer + kSecret);
  head.headers[1].second = "h2c";
  CHECK_FALSE(take_subprotocol_token(head).present);
  CHECK(head.header("Sec-WebSocket-Protocol") == "x");
  head = upgrade("v4.channel.k8s.io,plain.kubevirt.io");
  CHECK_FALSE(take_subprotocol_token(head).present);
  CHECK(head.header("Sec-WebSocket-Protocol") == "v4.channel.k8s.io,plain.kubevirt.io");
}

TEST_CASE("any credentials that are right are enough, and wrong ones make nobody anonymous") {
  const Authenticator authenticator({{"secret", {"anna", "", {}}}, {"other", {"bert", "", {}}}});
  const SubprotocolToken good{true, true, "secret"};
  const SubprotocolToken unknown{true, true, "guess"};
  const SubprotocolToken broken{true, false, ""};
  const auto who = [&](const char* authorization, const SubprotocolToken& token) {
    const auto user = authenticator.authenticate(authorization, {}, "/version", token);
    return user ? user->name : "nobody";
  };
  CHECK(who("", good) == "anna");
  CHECK(who("Bearer other", good) == "bert");
  CHECK(who("Bearer other", broken) == "bert");
  CHECK(who("Bearer guess", good) == "anna");
  CHECK(who("", unknown) == "nobody");
  CHECK(who("", broken) == "nobody");
  CHECK(who("", {}) == "system:anonymous");
}
