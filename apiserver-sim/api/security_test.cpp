#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "apiserver-sim/test_support.h"
#include "common/kube/kubeconfig.h"
#include "kube-sim/request/files.h"
#include "kube-sim/security/authenticator.h"
#include "kube-sim/security/authorizer.h"
#include "kube-sim/security/kubeconfig_writer.h"
#include "kube-sim/security/pki.h"
#include "kube-sim/security/token_file.h"
#include "kube-sim/security/x509.h"

using namespace usbloop::apiserver;
using test::TemporaryDirectory;

namespace {

Pki make(const std::string& directory, const std::vector<std::string>& names = {}) {
  auto pki = load_or_make_pki(directory, names);
  REQUIRE_MESSAGE(pki.has_value(), (pki ? "" : pki.error().message()));
  return std::move(*pki);
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777U;
}

}  // namespace

TEST_CASE("a new server certificate is signed by the new authority and names what was asked for") {
  const TemporaryDirectory dir;
  const Pki pki = make(dir / "pki", {"api.example", "10.1.2.3"});
  const auto ca = parse_certificate(pki.ca_cert, "ca");
  const auto server = parse_certificate(pki.server_cert, "server");
  REQUIRE(ca);
  REQUIRE(server);
  CHECK(is_signed_by(**server, **ca));
  CHECK(is_current(**server, 300));
  for (const char* name : {"localhost", "127.0.0.1", "::1", "api.example", "10.1.2.3"}) CHECK(has_name(**server, name));
  CHECK_FALSE(has_name(**server, "other.example"));
  for (const char* file : {"pki/ca.crt", "pki/ca.key", "pki/server.crt", "pki/server.key"}) {
    CHECK(mode_of(dir / file) == 0600);
  }
  CHECK(mode_of(dir / "pki") == 0700);
}

TEST_CASE("certificates are used again, and a server certificate that lacks a name is made anew") {
  const TemporaryDirectory dir;
  const Pki first = make(dir / "pki");
  const Pki second = make(dir / "pki");
  CHECK(second.server_cert == first.server_cert);
  const Pki third = make(dir / "pki", {"new.example"});
  CHECK(third.ca_cert == first.ca_cert);
  CHECK(third.server_cert != first.server_cert);
}

TEST_CASE("broken certificate files are clear errors, and nothing is overwritten") {
  for (const char* file : {"pki/ca.crt", "pki/ca.key", "pki/server.crt", "pki/server.key"}) {
    CAPTURE(file);
    const TemporaryDirectory dir;
    make(dir / "pki");
    REQUIRE(write_file(dir / file, "garbage", 0600).has_value());
    const auto pki = load_or_make_pki(dir / "pki", {});
    REQUIRE_FALSE(pki.has_value());
    CHECK(pki.error().message().find(dir / file) != std::string::npos);
    CHECK_FALSE(pki.error().hint.empty());
    CHECK(*read_file(dir / file) == "garbage");
  }
}

TEST_CASE("a certificate authority without its key, or with another's, is an error") {
  const TemporaryDirectory dir;
  make(dir / "pki");
  make(dir / "other");
  std::filesystem::copy_file(dir / "other/ca.key", dir / "pki/ca.key",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK_FALSE(load_or_make_pki(dir / "pki", {}).has_value());
  std::filesystem::remove(dir / "pki/ca.key");
  CHECK_FALSE(load_or_make_pki(dir / "pki", {}).has_value());
}

TEST_CASE("names that are none are refused") {
  for (const char* name : {"", "a,DNS:b", "a\nb", "x:y"}) {
    const TemporaryDirectory dir;
    CHECK_FALSE(load_or_make_pki(dir / "pki", {name}).has_value());
  }
}

TEST_CASE("token files in Kubernetes' form are read, broken lines are named") {
  const auto tokens = parse_token_file("f", "# note\nt1,alice,1,\"dev,ops\"\r\n\nt2,bob,2\nt3,\"q\"\"uote\",3,one\n");
  REQUIRE(tokens);
  CHECK(tokens->size() == 3);
  CHECK(tokens->at("t1").groups == std::vector<std::string>{"dev", "ops"});
  CHECK(tokens->at("t2").groups.empty());
  CHECK(tokens->at("t3").name == "q\"uote");
  for (const char* text : {"", "# only\n", "t1,alice\n", ",alice,1\n", "t1,,1\n", "t,\"a,1\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_token_file("f", text).has_value());
  }
  CHECK(parse_token_file("f", "t1,alice,1\nbroken\n").error().message().find("line 2") != std::string::npos);
  const auto fresh = parse_token_file("f", new_token_file("system:node:x"));
  REQUIRE(fresh);
  CHECK(fresh->size() == 4);
  CHECK(fresh->begin()->first.size() == 64);
}

TEST_CASE("who sends a request: certificate, token, nobody or somebody unknown") {
  const Authenticator authenticator({{"secret", {"alice", "1", {"dev"}}}});
  const auto alice = authenticator.authenticate("Bearer secret", {}, "/api");
  REQUIRE(alice);
  CHECK(alice->name == "alice");
  CHECK(alice->in_group("dev"));
  CHECK(alice->in_group("system:authenticated"));
  CHECK(authenticator.authenticate("bearer   secret", {}, "/api").has_value());
  for (const char* header : {"Bearer other", "Bearer", "Bearer ", "Basic c2VjcmV0", "secret", "Bearer secret2"}) {
    CAPTURE(header);
    CHECK_FALSE(authenticator.authenticate(header, {}, "/healthz").has_value());
  }
  for (const char* path : {"/healthz", "/livez/ping", "/readyz", "/version"}) {
    CHECK(authenticator.authenticate("", {}, path)->name == "system:anonymous");
  }
  for (const char* path : {"/", "/healthzz", "/api", "/metrics", "/apis/kubevirt.io/v1"}) {
    CHECK_FALSE(authenticator.authenticate("", {}, path).has_value());
  }
  const auto by_certificate = authenticator.authenticate("", {"carol", {"system:masters"}}, "/api");
  CHECK(by_certificate->name == "carol");
  CHECK(by_certificate->in_group("system:masters"));
}

TEST_CASE("a refusal names user, verb, resource, group and place as kube-apiserver does") {
  const User user{"U", "", {}};
  Attributes attributes{true, "get", "", "subresources.kubevirt.io", "virtualmachineinstances", "usbredir", "NS", "X"};
  CHECK(forbidden_status(user, attributes).message ==
        "virtualmachineinstances.subresources.kubevirt.io \"X\" is forbidden: User \"U\" cannot get resource "
        "\"virtualmachineinstances/usbredir\" in API group \"subresources.kubevirt.io\" in the namespace \"NS\"");
  attributes = {true, "list", "", "", "nodes", "", "", ""};
  CHECK(forbidden_status(user, attributes).message ==
        "nodes is forbidden: User \"U\" cannot list resource \"nodes\" in API group \"\" at the cluster scope");
  attributes = {false, "get", "/metrics", "", "", "", "", ""};
  CHECK(forbidden_status(user, attributes).message == "forbidden: User \"U\" cannot get path \"/metrics\"");
}

TEST_CASE("a written kubeconfig is read by the loop's own reader") {
  const TemporaryDirectory dir;
  const Pki pki = make(dir / "pki");
  const std::string path = dir / "kubeconfig";
  REQUIRE(write_file(path, kubeconfig_text("https://[::1]:6443", pki.ca_cert, "alice", "tok"), 0600).has_value());
  CHECK(mode_of(path) == 0600);
  const auto access = usbloop::kube::load_kubeconfig({path}, "");
  REQUIRE_MESSAGE(access.has_value(), (access ? "" : access.error().message()));
  CHECK(access->host == "::1");
  CHECK(access->port == 6443);
  CHECK(access->token == "tok");
  CHECK(access->ca_pem == pki.ca_cert);
}
