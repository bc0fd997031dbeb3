#include "launcher-sim/device_state.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/json_at.h"
#include "common/stop_wait.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kDescriptorName = "state";
constexpr auto kStateAnswerTime = 5s;
constexpr std::size_t kMaxStateSaved = 64 * 1024 * 1024;
constexpr int kStateLookMs = 100;
constexpr int kPipeSize = 1024 * 1024;  ///< what everybody may have; the whole state fits in

struct Pipe {
  Fd reader;
  Fd writer;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return make_errno_error("make", "a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<> ignore_shared_memory(Qmp& qmp) {
  const json capabilities = json::array({{{"capability", "x-ignore-shared"}, {"state", true}}});
  const auto set = qmp.execute("migrate-set-capabilities", {{"capabilities", capabilities}}, kStateAnswerTime);
  if (!set) return tl::unexpected(set.error());
  return {};
}

/// Until the other side closes the pipe.
Result<std::string> read_all(const Fd& pipe, Clock::time_point deadline, const std::stop_token& stop) {
  std::string bytes;
  std::vector<char> buffer(65536);
  while (!stop.stop_requested()) {
    if (Clock::now() > deadline) return make_error(ErrorKind::timeout, "take", "the devices' state", "QEMU is slow");
    pollfd entry{pipe.get(), POLLIN, 0};
    if (::poll(&entry, 1, kStateLookMs) <= 0) continue;
    const auto got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_errno_error("take", "the devices' state");
    if (got == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > kMaxStateSaved) {
      return make_error(ErrorKind::internal, "take", "the devices' state", "it is larger than 64 MiB");
    }
  }
  return make_error(ErrorKind::cancelled, "take", "the devices' state", "we are to stop");
}

/// As much as the pipe takes now. When QEMU has closed it, QEMU says why.
void write_some(const Fd& pipe, const std::string& bytes, std::size_t& done) {
  while (pipe && done < bytes.size()) {
    const auto put = ::write(pipe.get(), bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    done += static_cast<std::size_t>(put);
  }
}

}  // namespace

Result<std::string> save_device_state(Qmp& qmp, std::chrono::milliseconds timeout, const std::stop_token& stop) {
  const auto deadline = Clock::now() + timeout;
  if (auto set = ignore_shared_memory(qmp); !set) return tl::unexpected(set.error());
  auto pipe = make_pipe();
  if (!pipe) return tl::unexpected(pipe.error());
  if (auto given = qmp.give_descriptor(kDescriptorName, pipe->writer, kStateAnswerTime); !given) {
    return tl::unexpected(given.error());
  }
  pipe->writer.reset();
  const json arguments = {{"uri", std::string("fd:") + kDescriptorName}};
  if (auto begun = qmp.execute("migrate", arguments, kStateAnswerTime); !begun) return tl::unexpected(begun.error());
  auto state = read_all(pipe->reader, deadline, stop);
  if (!state) return state;
  // QEMU closes the pipe a moment before it says how it went.
  while (Clock::now() < deadline && wait_unless_stopped(stop, 2ms)) {
    const auto answer = qmp.execute("query-migrate", kStateAnswerTime);
    if (!answer) return tl::unexpected(answer.error());
    const std::string status = text_at(*answer, "/status");
    if (status == "completed") return state;
    if (status == "failed" || status == "cancelled") {
      return make_error(ErrorKind::conflict, "take", "the devices' state", text_at(*answer, "/error-desc"));
    }
  }
  return make_error(ErrorKind::timeout, "take", "the devices' state", "QEMU did not say that it was whole");
}

Result<> load_device_state(Qmp& qmp, const std::string& state, std::chrono::milliseconds timeout,
                           const std::stop_token& stop) {
  const auto deadline = Clock::now() + timeout;
  if (auto set = ignore_shared_memory(qmp); !set) return set;
  auto pipe = make_pipe();
  if (!pipe) return tl::unexpected(pipe.error());
  if (auto given = qmp.give_descriptor(kDescriptorName, pipe->reader, kStateAnswerTime); !given) return given;
  pipe->reader.reset();
  const json arguments = {{"uri", std::string("fd:") + kDescriptorName}};
  if (auto begun = qmp.execute("migrate-incoming", arguments, kStateAnswerTime); !begun) {
    return tl::unexpected(begun.error());
  }
  // Nothing here waits for QEMU longer than `timeout`: what the pipe does not take waits for the next round.
  ::fcntl(pipe->writer.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(pipe->writer.get(), F_SETPIPE_SZ, kPipeSize);  // it stays smaller where the user's pipes are many
  std::size_t done = 0;
  while (Clock::now() < deadline) {
    write_some(pipe->writer, state, done);
    if (done == state.size()) pipe->writer.reset();
    const auto status = qmp.status(kStateAnswerTime);
    if (!status) return tl::unexpected(status.error());
    if (*status == "paused") return {};
    if (*status != "inmigrate") return make_error(ErrorKind::conflict, "go on in", "QEMU", "it is " + *status);
    if (!wait_unless_stopped(stop, 2ms))
      return make_error(ErrorKind::cancelled, "load", "a template", "we are to stop");
  }
  return make_error(ErrorKind::timeout, "load", "a template", "QEMU is slow");
}

}  // namespace usbloop::launcher
