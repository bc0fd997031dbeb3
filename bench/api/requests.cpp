#include "bench/api/requests.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "e2e/harness/connect.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using e2e::Failure;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAnswerTime{120};
/// Prime, so that steps of it come to every VMI.
constexpr std::size_t kStride = 7919;

std::string vmi_body(std::size_t number) {
  json object = e2e::vmi_manifest(vmi_name(number), {.node_selector = {{"kubernetes.io/hostname", "nowhere"}}});
  object["metadata"]["labels"]["bench"] = std::to_string(number % 10);
  return object.dump();
}

/// The metadata in the text of a list. The items stand behind them and are not parsed: that would be what is measured.
json list_meta(const std::string& text) {
  const auto end = text.find(",\"items\":[");
  if (end == std::string::npos) throw Failure("not a list: " + text.substr(0, 500));
  return json::parse(text.substr(0, end) + "}").at("metadata");
}

}  // namespace

std::unique_ptr<httplib::SSLClient> connect_patiently(const e2e::Api& api) { return e2e::connect(api, kAnswerTime); }

std::string expect(const httplib::Result& result, int status) {
  if (!result) throw Failure("no answer: " + httplib::to_string(result.error()));
  if (result->status != status) throw Failure(std::to_string(result->status) + ": " + result->body.substr(0, 500));
  return result->body;
}

std::string vmi_name(std::size_t number) { return "bench-" + std::to_string(number); }

void create_vmis(const e2e::Api& api, std::size_t count, std::size_t clients) {
  std::vector<std::exception_ptr> failures(clients);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < clients; ++i) {
      threads.emplace_back([&, i] {
        try {
          const auto client = connect_patiently(api);
          for (std::size_t number = i; number < count; number += clients) {
            expect(client->Post(e2e::vmis_path(), vmi_body(number), "application/json"), 201);
          }
        } catch (const std::exception&) {
          failures[i] = std::current_exception();
        }
      });
    }
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void wait_for_settled_vmis(const e2e::Api& api, const std::string& version, std::size_t count,
                           std::chrono::milliseconds timeout) {
  std::set<std::string> settled;
  api.watch(e2e::vmis_path() + "?resourceVersion=" + version, timeout, "the VMIs to wait for a node",
            [&](const json& event) {
              if (event.at("type") == "ERROR") throw Failure("watching the VMIs: " + event.dump());
              const json& object = event.at("object");
              for (const json& condition : object.value("/status/conditions"_json_pointer, json::array())) {
                if (condition.at("type") == "PodScheduled") settled.insert(object.at("metadata").at("name"));
              }
              return settled.size() == count;
            });
}

std::string list_version(httplib::SSLClient& client) {
  return list_meta(expect(client.Get(e2e::vmis_path() + "?limit=1"), 200)).at("resourceVersion");
}

std::size_t count_events(httplib::SSLClient& client) {
  const auto text = expect(client.Get("/api/v1/namespaces/default/events?limit=1"), 200);
  const std::size_t rest = list_meta(text).value("remainingItemCount", std::size_t{0});
  return text.find("\"items\":[]") == std::string::npos ? rest + 1 : 0;
}

std::size_t read_list(httplib::SSLClient& client) { return expect(client.Get(e2e::vmis_path()), 200).size(); }

void read_pages(httplib::SSLClient& client, std::size_t page, std::size_t expected) {
  const std::string path = e2e::vmis_path() + "?limit=" + std::to_string(page);
  std::size_t left = expected;
  std::string next;
  do {
    const json meta = list_meta(expect(client.Get(path + (next.empty() ? "" : "&continue=" + next)), 200));
    left -= std::min(left, page);
    next = meta.value("continue", "");
    const std::size_t told = meta.value("remainingItemCount", std::size_t{0});
    if (told != left || next.empty() != (left == 0)) {
      throw Failure("a page says that " + std::to_string(told) + " VMIs follow and not " + std::to_string(left));
    }
  } while (!next.empty());
}

void read_table(httplib::SSLClient& client) {
  const httplib::Headers as_table = {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}};
  expect(client.Get(e2e::vmis_path(), as_table), 200);
}

std::vector<double> read_singly(httplib::SSLClient& client, std::size_t vmis, std::size_t count) {
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string path = e2e::vmis_path() + "/" + vmi_name(i * kStride % vmis);
    const auto begin = Clock::now();
    expect(client.Get(path), 200);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  return times;
}

}  // namespace usbloop::bench
