// What is wrong on the way to the API server.
#include <regex>

#include "e2e/errors/desk.h"
#include "e2e/errors/strange_server.h"

namespace usbloop::e2e {
namespace {

constexpr long kHour = 3600;
constexpr const char* kHere = "DNS:localhost,IP:127.0.0.1";

Outcome ask(Desk& desk, const std::string& server, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--server", server, "--token", "any", "--emulate", desk.stick()});
  more.emplace_back("demo");
  return desk.plain(more);
}

/// A server whose certificate the client knows, as it is; or another one.
Outcome shake(Desk& desk, const net::test::Pem& pem, const std::string& trusted) {
  const OneHandshake server(pem);
  return ask(desk, server.port().url("https"), {"--certificate-authority", desk.file("ca.pem", trusted)});
}

Outcome by_proxy(Desk& desk, const std::string& proxy) {
  const std::string config =
      std::regex_replace(read_file(desk.loop().kubeconfig()), std::regex("( *)server: "),
                         "$1proxy-url: " + proxy + "\n$1server: ", std::regex_constants::format_first_only);
  return desk.plain({"--kubeconfig", desk.file("proxy.kubeconfig", config), "--emulate", desk.stick(), "demo"});
}

}  // namespace

void add_connection_situations(Situations& all) {
  using net::test::self_signed;
  all["the server's name is unknown"] = [](Desk& desk) {
    return ask(desk, "https://" + std::string(64, 'a') + ".invalid:6443");  // no label is that long: nobody is asked
  };
  all["nothing listens at the server's address"] = [](Desk& desk) { return ask(desk, "https://127.0.0.1:1"); };
  all["the server does not answer"] = [](Desk& desk) {
    const LocalPort silent;
    return ask(desk, silent.url("https"), {"--request-timeout", "300ms"});
  };
  all["the server does not speak TLS"] = [](Desk& desk) {
    const OneAnswer server("HTTP/1.1 400 Bad Request\r\n\r\n");
    return ask(desk, server.port().url("https"));
  };
  all["the server's certificate has changed"] = [](Desk& desk) {
    return shake(desk, self_signed("new", kHere), self_signed("old", kHere).certificate);
  };
  all["the server's certificate has another name"] = [](Desk& desk) {
    const auto pem = self_signed("elsewhere", "DNS:elsewhere.example");
    return shake(desk, pem, pem.certificate);
  };
  all["the clock is behind: the certificate is not valid yet"] = [](Desk& desk) {
    const auto pem = self_signed("early", kHere, {.from = kHour, .to = 2 * kHour});
    return shake(desk, pem, pem.certificate);
  };
  all["the certificate has expired, or the clock is ahead"] = [](Desk& desk) {
    const auto pem = self_signed("late", kHere, {.from = -2 * kHour, .to = -kHour});
    return shake(desk, pem, pem.certificate);
  };
  all["the proxy cannot be reached"] = [](Desk& desk) { return by_proxy(desk, "http://127.0.0.1:1"); };
  all["the proxy refuses"] = [](Desk& desk) {
    const OneAnswer proxy("HTTP/1.1 403 Forbidden\r\n\r\n");
    return by_proxy(desk, proxy.port().url("http"));
  };
  all["the proxy wants a password"] = [](Desk& desk) {
    const OneAnswer proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    return by_proxy(desk, proxy.port().url("http"));
  };
  all["a SOCKS proxy wants a password"] = [](Desk& desk) {
    const OneAnswer proxy("\x05\xff");
    return by_proxy(desk, proxy.port().url("socks5"));
  };
}

}  // namespace usbloop::e2e
