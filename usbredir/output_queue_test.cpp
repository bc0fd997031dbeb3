#include "usbredir/output_queue.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>

using namespace usbloop::usbredir;

namespace {

void append(OutputQueue& queue, const std::string& text) {
  WriteBuffer buffer(static_cast<std::uint8_t*>(std::malloc(text.size() + 1)));
  std::memcpy(buffer.get(), text.data(), text.size());
  queue.append(std::move(buffer), 0, text.size());
}

std::string take(OutputQueue& queue, std::size_t at_once) {
  std::string all;
  while (queue.size() > 0) {
    const auto piece = queue.front().first(std::min(at_once, queue.front().size()));
    all.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    queue.consume(piece.size());
  }
  return all;
}

}  // namespace

TEST_CASE("bytes leave the output queue in order, small and big packets mixed, however they are consumed") {
  for (const std::size_t at_once : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
    OutputQueue queue;
    std::string expected;
    for (int i = 0; i < 60; ++i) {
      const std::string text(i % 7 == 0 ? 5000 : 10 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
      append(queue, text);
      expected += text;
      CHECK(queue.size() == expected.size());
    }
    CHECK(take(queue, at_once) == expected);
    CHECK(queue.front().empty());
  }
}

TEST_CASE("small packets are gathered and what was handed out stays where it is") {
  OutputQueue queue;
  append(queue, "first");
  append(queue, "second");
  queue.consume(5);
  const auto front = queue.front();
  append(queue, "third");
  CHECK(std::memcmp(front.data(), "second", 6) == 0);
  CHECK(queue.front().data() == front.data());
  CHECK(queue.front().size() == 11);
}

TEST_CASE("a part of a buffer and nothing at all can be appended") {
  OutputQueue queue;
  WriteBuffer buffer(static_cast<std::uint8_t*>(std::malloc(4)));
  std::memcpy(buffer.get(), "abcd", 4);
  queue.append(std::move(buffer), 1, 2);
  append(queue, "");
  CHECK(take(queue, 10) == "bc");
}
