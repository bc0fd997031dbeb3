#include "common/kube/http_client.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <thread>

#include "common/kube/kubeconfig_test_support.h"
#include "common/net/test_certificate.h"
#include "common/pem.h"

using namespace usbloop;
using namespace usbloop::kube;
using namespace std::chrono_literals;

namespace {

/// An HTTPS server with the certificate net::test::localhost(), until the end of this object.
class TlsServer {
 public:
  TlsServer()
      : certificate_(pem::next_certificate(pem::reader(net::test::localhost().certificate).get())),
        key_(pem::private_key(net::test::localhost().key)),
        server_(certificate_.get(), key_.get()),
        port_(server_.bind_to_any_port("127.0.0.1")) {
    REQUIRE(port_ > 0);
    server_.Get("/", [](const httplib::Request&, httplib::Response& response) { response.status = 204; });
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~TlsServer() {
    server_.stop();
    thread_.join();
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  /// What a client with this certificate-authority-data in its kubeconfig gets.
  [[nodiscard]] httplib::Error ask(const std::string& ca_pem) const {
    ClusterAccess access;
    access.host = "127.0.0.1";
    access.port = static_cast<std::uint16_t>(port_);
    access.ca_pem = ca_pem;
    const auto client = make_http_client(access, 10s, 10s);
    REQUIRE(client.has_value());
    return (*client)->Get("/").error();
  }

 private:
  pem::CertificatePtr certificate_;
  pem::KeyPtr key_;
  httplib::SSLServer server_;
  int port_;
  std::thread thread_;
};

/// Makes a certificate one of "the system's" for libssl, for the life of this object.
class SystemAuthority {
 public:
  explicit SystemAuthority(const std::string& pem) {
    ::setenv("SSL_CERT_FILE", workspace_.write("ca.pem", pem).c_str(), 1);
  }
  ~SystemAuthority() { ::unsetenv("SSL_CERT_FILE"); }
  SystemAuthority(const SystemAuthority&) = delete;
  SystemAuthority& operator=(const SystemAuthority&) = delete;

 private:
  testing::Workspace workspace_;
};

}  // namespace

TEST_CASE("the authority of the kubeconfig is the only one that is trusted, and without one the system's are") {
  const TlsServer server;
  const std::string& right = net::test::localhost().certificate;
  const std::string wrong = net::test::self_signed("another", "DNS:localhost,IP:127.0.0.1").certificate;
  CHECK(server.ask(right) == httplib::Error::Success);
  CHECK(server.ask(wrong + right) == httplib::Error::Success);  // a file may hold several
  CHECK(server.ask(wrong) == httplib::Error::SSLServerVerification);
  CHECK(server.ask("") == httplib::Error::SSLServerVerification);

  const SystemAuthority authority(right);
  CHECK(server.ask("") == httplib::Error::Success);
  CHECK(server.ask(wrong) == httplib::Error::SSLServerVerification);
}
