#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common/net/stream.h"

// For tests only: connected streams in one process, and a loop that runs until a coroutine is done.
namespace usbloop::net::test {

inline std::pair<StreamPtr, StreamPtr> stream_pair(asio::io_context& loop) {
  using Local = asio::local::stream_protocol;
  Local::socket first(loop);
  Local::socket second(loop);
  asio::local::connect_pair(first, second);
  return {make_plain_stream(Stream::Socket(std::move(first))), make_plain_stream(Stream::Socket(std::move(second)))};
}

/// Runs the loop until `task` has finished and returns its value. Throws after `limit`, so that a hang is a failure.
template <typename T>
T run(asio::io_context& loop, asio::awaitable<T> task, std::chrono::seconds limit = std::chrono::seconds(20)) {
  std::optional<T> value;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T result) {
    failure = error;
    if (!error) value = std::move(result);
  });
  const auto until = std::chrono::steady_clock::now() + limit;
  loop.restart();
  while (!value && !failure) {
    if (loop.run_one_until(until) == 0) throw std::runtime_error("the coroutine did not finish in time");
  }
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

/// Bytes that differ from place to place, the same for the same seed.
inline std::vector<std::byte> random_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 0xFFU);
  return bytes;
}

/// Everything up to the end of the stream.
inline asio::awaitable<std::vector<std::byte>> read_to_end(Stream& stream) {
  std::vector<std::byte> all;
  std::vector<std::byte> buffer(32 * 1024);
  while (true) {
    const auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return all;
    all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
  }
}

}  // namespace usbloop::net::test
