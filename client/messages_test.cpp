#include "client/messages.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

const Target kTarget{"demo", "default"};

websocket::Refusal refusal(int code, const std::string& message) {
  return {code, "application/json",
          R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" + message +
              R"(","code":)" + std::to_string(code) + "}"};
}

kube::ClusterAccess access() {
  kube::ClusterAccess access;
  access.context = "lab";
  access.host = "127.0.0.1";
  access.port = 6443;
  access.token = "t";
  return access;
}

SessionEnd lost() { return {}; }

}  // namespace

TEST_CASE("a refusal shows the message of the Status as virtctl does") {
  CHECK(refusal_message(refusal(400, "VMI is not running")) == "VMI is not running");
  auto charset = refusal(400, "VMI is not running");
  charset.content_type = "application/json; charset=utf-8";
  CHECK(refusal_message(charset) == "VMI is not running");
}

TEST_CASE("a refusal without a Status shows the code and the text") {
  CHECK(refusal_message({503, "", ""}) == "Can't connect to websocket (503): websocket: bad handshake");
  CHECK(refusal_message({404, "text/plain", "404: Page Not Found\n"}) ==
        "Can't connect to websocket (404): websocket: bad handshake: application info: 404: Page Not Found");
  CHECK(contains(refusal_message({500, "application/json", "{\"kind\":"}), "(500)"));
}

TEST_CASE("a server cannot steer the terminal and cannot flood it") {
  const auto text = refusal_message({400, "text/plain", "a\x1b[2Jb\rc\x07" + std::string(100'000, 'x')});
  CHECK_FALSE(contains(text, "\x1b"));
  CHECK_FALSE(contains(text, "\r"));
  CHECK(text.size() < 2000);
  CHECK_FALSE(contains(refusal_message(refusal(400, "a\\u001b[2Jb")), "\x1b"));
}

TEST_CASE("no text of a server steers the terminal by the second set of control characters or the writing direction") {
  for (const char* steering : {"\u009b", "\u009c", "\u009d", "\u202e", "\u2066", "\u200f", "\u061c", "\x9b"}) {
    CAPTURE(steering);
    const std::string text = std::string("a") + steering + "31mb";
    SessionEnd closed;
    closed.cause = SessionEnd::Cause::closed;
    closed.close = {1011, text};
    SessionEnd lost_by;
    lost_by.error = Error{ErrorKind::protocol, "use", "the websocket", text};
    const Result<VmiState> refused = make_error(ErrorKind::denied, "get", "/x", text);
    for (const std::string& shown :
         {refusal_message({400, "text/plain", text}), refusal_message(refusal(400, text)),
          far_end_message(closed, kTarget, VmiState{true, false, text}), far_end_message(lost_by, kTarget, refused),
          text_of(Error{ErrorKind::invalid, "read", text, text, text})}) {
      CHECK_FALSE(contains(shown, steering));
      CHECK(contains(shown, "31mb"));
    }
  }
}

TEST_CASE("each refusal has a hint that fits") {
  const auto hint = [](const websocket::Refusal& no) { return refusal_hint(no, access(), kTarget); };
  CHECK(contains(hint(refusal(401, "Unauthorized")), "the token or certificate is wrong or has expired"));
  CHECK(contains(hint(refusal(403, "x is forbidden")), "kubevirt.io:edit"));
  CHECK(contains(hint(refusal(404, "virtualmachineinstance.kubevirt.io \\\"demo\\\" not found")),
                 "kubectl get vmi -n default"));
  CHECK(contains(hint({404, "text/plain", "404: Page Not Found"}), "does not know KubeVirt's API"));
  CHECK(contains(hint({404, "text/plain", "404 page not found\n"}), "does not know KubeVirt's API"));
  CHECK(contains(hint(refusal(409, "...: Not configured with USB Redirection")), "clientPassthrough"));
  CHECK(contains(hint(refusal(400, "VMI is not running")), "kubectl get vmi demo"));
  CHECK(contains(
      hint(refusal(500, "Internal error occurred: Can't connect to websocket (503): websocket: bad handshake")),
      "four devices"));
  auto anonymous = access();
  anonymous.token.clear();
  CHECK(contains(refusal_hint(refusal(401, "Unauthorized"), anonymous, kTarget), "has no credentials"));
}

TEST_CASE("an error of the connection names the server and says what to look at") {
  const auto explain = [](ErrorKind kind, const std::string& cause, const std::string& object = "") {
    return explain_connect_error(Error{kind, "connect to", object, cause, ""}, access());
  };
  const auto refused = explain(ErrorKind::unavailable, "Connection refused");
  CHECK(refused.message() == "cannot connect to the API server https://127.0.0.1:6443: Connection refused");
  CHECK(contains(refused.hint, "Is the server running"));
  CHECK(contains(explain(ErrorKind::protocol, "certificate verify failed").hint, "names no certificate-authority"));
  CHECK(contains(explain(ErrorKind::protocol, "wrong version number").hint, "does not speak TLS"));
  CHECK(contains(explain(ErrorKind::timeout, "no answer").hint, "firewall"));
  const auto unknown =
      explain_connect_error(Error{ErrorKind::unavailable, "look up", "h.invalid", "Host not found", ""}, access());
  CHECK(contains(unknown.message(), "cannot look up h.invalid: Host not found"));
  CHECK(contains(unknown.hint, "Check the host name"));
}

TEST_CASE("the end of the far side is explained by the state of the VMI") {
  const auto text = [](const Result<VmiState>& state) { return far_end_message(lost(), kTarget, state); };
  CHECK(contains(text(VmiState{false, false, ""}), "the VMI has been deleted"));
  CHECK(contains(text(VmiState{true, true, "Running"}), "the VMI is being deleted"));
  CHECK(contains(text(VmiState{true, false, "Succeeded"}), "no longer running (phase Succeeded)"));
  CHECK(contains(text(VmiState{true, false, "Running"}), "still running"));
  CHECK(contains(text(make_error(ErrorKind::unavailable, "get", "the VMI", "Connection refused")),
                 "cannot be asked why"));
}

TEST_CASE("a Close frame of the server is shown with its code and reason") {
  SessionEnd end;
  end.cause = SessionEnd::Cause::closed;
  end.close = {1011, "slot \x1b[31mlost"};
  CHECK(contains(far_end_message(end, kTarget, VmiState{true, false, "Running"}),
                 "The server closed the connection (1011): slot [31mlost"));
}
