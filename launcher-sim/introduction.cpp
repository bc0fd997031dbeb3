#include "launcher-sim/introduction.h"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "common/log.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kRenewed = "usbloop-guest: renewed ";
constexpr std::size_t kMaxTerminalLine = 4000;  ///< a terminal's line holds 4095 bytes
/// The clock is set at some moment between our line and the answer, to the time of the line and this much more.
constexpr auto kUsualWay = 20ms;
constexpr auto kLongestWay = 100ms;

/// printf's escapes of a number's bytes, the lowest first.
std::string escapes(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, number >>= 8U) {
    text += "\\x";
    text += "0123456789abcdef"[(number >> 4U) & 15U];
    text += "0123456789abcdef"[number & 15U];
  }
  return text;
}

template <std::size_t size>
std::array<std::uint8_t, size> random_array() {
  std::array<std::uint8_t, size> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no randomness");
  return bytes;
}

/// Sets the clock once; how long the guest took at most.
Result<Clock::duration> renew(ConsoleLines& console, std::chrono::milliseconds timeout, const std::stop_token& stop) {
  const auto sent = Clock::now();
  const auto time = std::chrono::system_clock::now().time_since_epoch() + kUsualWay;
  if (auto said = console.send(renew_line(time, random_array<32>()), timeout, stop); !said) {
    return tl::unexpected(said.error());
  }
  const auto answer = console.wait_for({kRenewed}, timeout, stop);
  if (!answer) return tl::unexpected(answer.error());
  if (*answer != std::string(kRenewed) + "0") {
    return make_error(ErrorKind::protocol, "set the clock of", "the guest", "it could not");
  }
  return Clock::now() - sent;
}

}  // namespace

std::string renew_line(std::chrono::nanoseconds time, const std::array<std::uint8_t, 32>& seed) {
  const auto nanoseconds = static_cast<std::uint64_t>(time.count());
  // A timespec and a rand_pool_info: guest/renew.hex.
  std::string line = "renew " + escapes(nanoseconds / 1'000'000'000, 8) + escapes(nanoseconds % 1'000'000'000, 8) +
                     escapes(seed.size() * 8, 4) + escapes(seed.size(), 4);
  for (const std::uint8_t byte : seed) line += escapes(byte, 1);
  return line;
}

Result<> introduce(ConsoleLines& console, const CloneIdentity& identity, std::chrono::milliseconds timeout,
                   const std::stop_token& stop) {
  const std::string& parameters = identity.kernel_parameters;
  const bool printable = std::all_of(parameters.begin(), parameters.end(),
                                     [](char character) { return character >= ' ' && character <= '~'; });
  if (!printable || parameters.size() > kMaxTerminalLine) {
    return make_error(ErrorKind::invalid, "tell", "the guest its kernel parameters", "they do not fit into a line");
  }
  const auto until = Clock::now() + timeout;
  const auto left = [until] { return std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()); };
  for (const auto& line : {"parameters " + parameters, "boot_id " + identity.boot_id}) {
    if (auto said = console.send(line, left(), stop); !said) return said;
  }
  while (true) {
    const auto way = renew(console, left(), stop);
    if (!way) return tl::unexpected(way.error());
    if (*way <= kLongestWay) return console.send("go", left(), stop);
    spdlog::debug("the guest took {} ms to set its clock; again",
                  std::chrono::duration_cast<std::chrono::milliseconds>(*way).count());
  }
}

}  // namespace usbloop::launcher
