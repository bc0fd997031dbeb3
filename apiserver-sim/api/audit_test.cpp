// The audit log: what is recorded, and what becomes of the file.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "apiserver-sim/test_support.h"
#include "kube-sim/observe/audit_log.h"
#include "kube-sim/request/files.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

/// A request with all that an event borrows.
struct Sent {
  usbloop::http::Head head;
  Request request;
  RequestInfo info;
  std::string client = "[::1]:40404";

  Sent() {
    head.target = "/api/v1/namespaces/default/pods/p/status?watch=true";
    head.headers = {{"User-Agent", "kubectl/v1.32"}, {"Authorization", "Bearer secret"}};
    request.method = "GET";
    request.path = "/api/v1/namespaces/default/pods/p/status";
    request.user = {"bob", "", {"system:authenticated"}};
    info = read_request_info(request);
  }

  [[nodiscard]] RequestEvent event() const {
    RequestEvent event{head, request, info, client, true, {}, {}, 200};
    event.caller = {"alice", "7", {"dev"}};
    event.impersonates = true;
    event.audit_id = "id-1";
    event.decision = Decision{true, "RBAC: because"};
    return event;
  }
};

std::vector<json> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

std::size_t files_in(const TemporaryDirectory& dir) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()));
}

AuditFile open_file(const std::string& path, AuditFile::Limits limits) {
  auto file = AuditFile::open(path, limits);
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message()));
  return std::move(*file);
}

}  // namespace

TEST_CASE("an audit event says who did what, as whom, from where, and why it was allowed") {
  const Sent sent;
  const std::string line =
      audit_line(sent.event(), AuditStage::response_complete, std::chrono::system_clock::time_point{});
  CHECK(line.ends_with("}\n"));
  CHECK(line.find("secret") == std::string::npos);
  const json event = json::parse(line);
  CHECK(event["kind"] == "Event");
  CHECK(event["apiVersion"] == "audit.k8s.io/v1");
  CHECK(event["level"] == "Metadata");
  CHECK(event["auditID"] == "id-1");
  CHECK(event["stage"] == "ResponseComplete");
  CHECK(event["requestURI"] == sent.head.target);
  CHECK(event["verb"] == "get");
  CHECK(event["user"] == json({{"username", "alice"}, {"uid", "7"}, {"groups", {"dev"}}}));
  CHECK(event["impersonatedUser"]["username"] == "bob");
  CHECK(event["sourceIPs"] == json::array({"::1"}));
  CHECK(event["userAgent"] == "kubectl/v1.32");
  CHECK(event["objectRef"] == json({{"resource", "pods"},
                                    {"namespace", "default"},
                                    {"name", "p"},
                                    {"apiVersion", "v1"},
                                    {"subresource", "status"}}));
  CHECK(event["responseStatus"]["code"] == 200);
  CHECK(event["requestReceivedTimestamp"] == "1970-01-01T00:00:00.000000Z");
  CHECK(event["annotations"]["authorization.k8s.io/decision"] == "allow");
  CHECK(event["annotations"]["authorization.k8s.io/reason"] == "RBAC: because");
}

TEST_CASE("hostile texts stay within their line of JSON") {
  Sent sent;
  sent.head.headers = {{"User-Agent", "a\n{\"kind\":\"Event\"}\xff\x01"}};
  RequestEvent event = sent.event();
  event.caller.name = "x\ny";
  const std::string line = audit_line(event, AuditStage::request_received, std::chrono::system_clock::now());
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(json::parse(line)["user"]["username"] == "x\ny");
}

TEST_CASE("a client's audit id is taken when it is a plain short word") {
  usbloop::http::Head head;
  head.headers = {{"Audit-ID", "my-request-1"}};
  CHECK(audit_id_of(head) == "my-request-1");
  for (const std::string& bad : {std::string(), std::string("a b"), std::string(65, 'a'), std::string("\xc3\xa4")}) {
    head.headers = {{"Audit-ID", bad}};
    CHECK(audit_id_of(head).size() == 36);
  }
}

TEST_CASE("a long-running request is recorded when it comes, when it is answered and when it is over") {
  const TemporaryDirectory dir;
  const Sent sent;
  {
    AuditLog log(open_file(dir / "audit.log", {}));
    const RequestEvent event = sent.event();
    log.began(event);
    log.started(event);
    log.ended(event);
    RequestEvent quick = sent.event();
    quick.long_running = false;
    log.began(quick);
    log.ended(quick);
  }
  std::string stages;
  for (const json& line : lines_of(dir / "audit.log")) stages += line["stage"].get<std::string>() + " ";
  CHECK(stages == "RequestReceived ResponseStarted ResponseComplete ResponseComplete ");
  struct stat info {};
  REQUIRE(::stat((dir / "audit.log").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("a large audit log is put aside, and of those the newest are kept") {
  const TemporaryDirectory dir;
  {
    AuditFile file = open_file(dir / "audit.log", {100, 2});
    for (int i = 0; i < 20; ++i) REQUIRE(file.append("{\"number\":" + std::to_string(i + 1000) + "}\n").has_value());
  }
  CHECK(files_in(dir) == 3);
  std::vector<int> numbers;
  for (const auto& entry : fs::directory_iterator(dir.path())) {
    CHECK(entry.file_size() <= 100);
    for (const json& line : lines_of(entry.path().string())) numbers.push_back(line["number"].get<int>());
  }
  std::sort(numbers.begin(), numbers.end());
  // Six lines of 16 bytes fit into a file: 6 + 6 + 6 + 2, of which the first six are gone.
  REQUIRE(numbers.size() == 14);
  CHECK(numbers.front() == 1006);
  CHECK(numbers.back() == 1019);
  // Continued, not begun anew.
  AuditFile again = open_file(dir / "audit.log", {100'000, 2});
  const auto size = fs::file_size(dir / "audit.log");
  REQUIRE(again.append("{}\n").has_value());
  CHECK(fs::file_size(dir / "audit.log") == size + 3);
}

TEST_CASE("a disk that takes nothing costs events, not the server") {
  const Sent sent;
  AuditLog log(open_file("/dev/full", {}));
  for (int i = 0; i < 3; ++i) log.ended(sent.event());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (log.lost() < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  CHECK(log.lost() == 3);
  CHECK_FALSE(AuditFile::open("/nowhere/audit.log", {}).has_value());
}
