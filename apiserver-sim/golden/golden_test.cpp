// The wire shapes: every scenario of this folder against a server of its own. USBLOOP_UPDATE_GOLDEN=1 writes the files
// anew, for a person to look at the difference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "apiserver-sim/golden/asking.h"
#include "apiserver-sim/golden/scenario.h"
#include "apiserver-sim/server.h"
#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using namespace usbloop::apiserver::golden;
namespace fs = std::filesystem;

namespace {

constexpr const char* kTable =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
/// What websocket clients keep of a refusal (wire.md section 11).
constexpr std::size_t kMaxRefusal = 1024;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// A server with its directory, and a node's channel at ${dir}/node.sock.
class Stage {
 public:
  Stage() : node_(dir_ / "node.sock") {
    Options options;
    options.data_dir = dir_ / "data";
    options.kubeconfig = dir_ / "admin.kubeconfig";
    options.node_kubeconfig = dir_ / "node.kubeconfig";
    options.in_memory = true;
    options.controllers.run = false;  // what they do meanwhile is no answer to a request
    auto server = ApiServer::start(options);
    if (!server) throw std::runtime_error(server.error().message());
    server_ = std::move(*server);
    for (const char* name : {"admin", "node"}) {
      auto access = usbloop::kube::load_kubeconfig({dir_ / (std::string(name) + ".kubeconfig")}, "");
      if (!access) throw std::runtime_error(access.error().message());
      access_.emplace(name, std::move(*access));
    }
  }

  Answer play(const Step& step) { return ask(access_.at("admin"), request_of(step)); }

  void set_node_answer(const Step& step) {
    std::string head = "HTTP/1.1 " + step.target + "\r\n";
    for (const auto& [name, value] : step.headers) head += name + ": " + value + "\r\n";
    node_.set_answer(head + "Content-Length: " + std::to_string(step.body.size()) + "\r\n\r\n" + step.body);
  }

  /// What differs each time, and what would fill the files.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> placeholders() const {
    return {{dir_.path(), "${dir}"}, {kLong, "${long}"}, {server_->url(), "${url}"}};
  }

 private:
  std::string request_of(const Step& step) const {
    std::string text = step.method + " " + expanded(step.target) + " HTTP/1.1\r\nHost: localhost\r\n";
    if (step.user == "stranger") text += "Authorization: Bearer unknown\r\n";
    const auto access = access_.find(step.user);
    if (access != access_.end()) text += "Authorization: Bearer " + access->second.token + "\r\n";
    for (const auto& [name, value] : step.headers) {
      if (name == "Websocket") {
        text +=
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: plain.kubevirt.io\r\n";
      } else {
        text += name + ": " + (name == "Accept" && value == "Table" ? kTable : expanded(value)) + "\r\n";
      }
    }
    const std::string body = expanded(step.body);
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + body;
  }

  [[nodiscard]] std::string expanded(const std::string& text) const {
    return replaced(replaced(text, "${dir}", dir_.path()), "${long}", kLong);
  }

  /// The longest name that there is.
  const std::string kLong = std::string(253, 'a');
  test::TemporaryDirectory dir_;
  FixedNode node_;
  std::unique_ptr<ApiServer> server_;
  std::map<std::string, usbloop::kube::ClusterAccess> access_;
};

void check_refusal(const Step& step, const Answer& answer) {
  const bool subresource = step.target.find("/subresources.kubevirt.io/") != std::string::npos;
  if (!subresource || answer.code() < 400 || answer.header("Content-Type") == "text/plain; charset=utf-8") return;
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK_MESSAGE(answer.body.size() <= kMaxRefusal, answer.body);
}

std::string play(const std::vector<Step>& steps) {
  Stage stage;
  std::vector<std::string> answers;
  for (const Step& step : steps) {
    CAPTURE(step.title);
    if (step.method == "NODE") {
      stage.set_node_answer(step);
      continue;
    }
    const Answer answer = stage.play(step);
    check_refusal(step, answer);
    if (step.recorded) {
      answers.push_back(recorded_text(answer, stage.placeholders()));
    } else {
      CHECK_MESSAGE(answer.code() / 100 == 2, answer.status_line << "\n" << answer.body);
    }
  }
  return scenario_text(steps, answers);
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first line in which they differ, for a short message.
std::string first_difference(const std::string& wanted, const std::string& found) {
  const auto [a, b] = std::mismatch(wanted.begin(), wanted.end(), found.begin(), found.end());
  const auto line = [](const std::string& text, std::size_t at) {
    const auto begin = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    return text.substr(begin == std::string::npos ? 0 : begin + 1, 400);
  };
  return "the file:\n" + line(wanted, static_cast<std::size_t>(a - wanted.begin())) + "\nthe server:\n" +
         line(found, static_cast<std::size_t>(b - found.begin()));
}

}  // namespace

TEST_CASE("the server answers as the golden files say, byte for byte") {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(USBLOOP_GOLDEN_DIR)) {
    if (entry.path().extension() == ".http") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE_FALSE(files.empty());
  for (const fs::path& path : files) {
    CAPTURE(path.string());
    const std::string wanted = read(path);
    const std::string found = play(parse_scenario(wanted));
    if (std::getenv("USBLOOP_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << found;
    CHECK_MESSAGE((wanted == found || std::getenv("USBLOOP_UPDATE_GOLDEN") != nullptr),
                  first_difference(wanted, found));
  }
}

TEST_CASE("a scenario is written as it was read") {
  const std::string text =
      "# What it is about.\n\n== a setup\nPOST /x as node\nContent-Type: application/json\n\n{}\n\n== a request\nGET "
      "/y\n--\nHTTP/1.1 200 OK\n\nbody\n\n# A word.\n== the last\nNODE 503 Service Unavailable\n";
  const auto steps = parse_scenario(text);
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].user == "node");
  CHECK(steps[0].body == "{}");
  CHECK(steps[1].recorded);
  CHECK(steps[2].target == "503 Service Unavailable");
  CHECK(scenario_text(steps, {"HTTP/1.1 200 OK\n\nbody\n"}) == text);
  CHECK(recorded_text({"HTTP/1.1 200 OK", {{"Date", "today"}, {"content-type", "x"}}, "{\"age\":\"5m\"}"}, {}) ==
        "HTTP/1.1 200 OK\ncontent-type: x\n\n{\"age\":\"${age}\"}\n\\ no newline at the end\n");
}
