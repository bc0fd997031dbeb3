#include "common/kube/event_lines.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using nlohmann::json;
using usbloop::kube::EventLines;

namespace {

struct Collected {
  EventLines lines;
  std::vector<json> events;
  explicit Collected(std::size_t limit = 1024) : lines(limit) {}
  bool feed(std::string_view bytes) {
    return lines.feed(bytes, [this](const json& event) {
      events.push_back(event);
      return true;
    });
  }
};

const std::string kAdded = R"({"type":"ADDED","object":{"metadata":{"uid":"u"}}})"
                           "\n";

}  // namespace

TEST_CASE("events are found whatever the pieces in which they come") {
  const std::string text = kAdded + "\r\n" + kAdded + "\n" + kAdded;
  for (std::size_t size = 1; size <= text.size(); size += 7) {
    CAPTURE(size);
    Collected collected;
    for (std::size_t at = 0; at < text.size(); at += size) CHECK(collected.feed(text.substr(at, size)));
    CHECK(collected.events.size() == 3);
    CHECK_FALSE(collected.lines.error());
  }
}

TEST_CASE("an incomplete event at the end is held back") {
  Collected collected;
  CHECK(collected.feed(kAdded.substr(0, kAdded.size() - 1)));
  CHECK(collected.events.empty());
  CHECK(collected.feed("\n"));
  CHECK(collected.events.size() == 1);
}

TEST_CASE("a line longer than the limit is an error, in one piece or in many") {
  const std::string line(1025, ' ');
  Collected whole;
  CHECK_FALSE(whole.feed(line));
  CHECK(whole.lines.error() == "an event of more than 1024 bytes");
  Collected pieces;
  CHECK(pieces.feed(line.substr(0, 1024)));
  CHECK_FALSE(pieces.feed("x"));
  CHECK(pieces.lines.error());
}

TEST_CASE("what is no event is an error") {
  for (const std::string text : {"x\n", "[]\n", "{}\n", "{\"type\":1,\"object\":{}}\n", "{\"type\":\"ADDED\"}\n",
                                 "{\"type\":\"ADDED\",\"object\":[]}\n", "HTTP/1.1 200 OK\r\n"}) {
    CAPTURE(text);
    Collected collected;
    CHECK_FALSE(collected.feed(text));
    CHECK(collected.lines.error() == "a line that is no watch event");
    CHECK(collected.events.empty());
  }
}

TEST_CASE("an ERROR event ends the watch: 410 as expired, others as errors") {
  Collected expired;
  CHECK_FALSE(expired.feed(R"({"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}})"
                           "\n"));
  CHECK(expired.lines.expired());
  CHECK_FALSE(expired.lines.error());
  Collected other;
  CHECK_FALSE(other.feed(R"({"type":"ERROR","object":{"code":500,"message":"etcd is gone"}})"
                         "\n"));
  CHECK_FALSE(other.lines.expired());
  CHECK(other.lines.error() == "etcd is gone");
  CHECK(other.events.empty());
}

TEST_CASE("the callback can end it") {
  EventLines lines(1024);
  int count = 0;
  CHECK_FALSE(lines.feed(kAdded + kAdded, [&count](const json&) { return ++count < 1; }));
  CHECK(count == 1);
  CHECK_FALSE(lines.error());
}
