#include "device-sim/desk/visit.h"

#include <sys/socket.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

#include "bridge/stream_side.h"
#include "common/log.h"
#include "common/net/deadline.h"
#include "common/net/descriptor_passing.h"
#include "common/timestamp.h"

namespace usbloop::desk {

namespace {

using What = Request::What;
using Json = nlohmann::ordered_json;

/// For the next request, and for taking an answer.
constexpr std::chrono::milliseconds kPatience{30'000};

std::string error_line(const Error& error) { return line_of(Json{{"error", to_json(error)}}); }

std::string done_line(const Result<>& outcome) {
  return outcome ? line_of(Json{{"done", true}}) : error_line(outcome.error());
}

std::string list_line(const Desk& desk) {
  Json object;
  object["desk"] = desk.path();
  object["devices"] = Json::array();
  for (const auto& device : desk.list()) object["devices"].push_back(to_json(device));
  return line_of(object);
}

std::string ended_line(const usbredir::HostEnd& host) {
  Json object;
  object["ended"] = word_of(host.state());
  const auto outcome = host.outcome();
  object["error"] = outcome ? Json(nullptr) : to_json(outcome.error());
  return line_of(object);
}

std::string taken_line(const Desk& desk, const std::string& name) {
  for (const auto& device : desk.list()) {
    if (device.name == name) return line_of(Json{{"device", to_json(device)}});
  }
  return {};  // not reached: it has just been lent
}

struct Pair {
  Fd ours;
  Fd theirs;
};

Result<Pair> make_pair_of_sockets() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return make_errno_error("make", "a pair of sockets");
  }
  return Pair{Fd(ends[0]), Fd(ends[1])};
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

Visit::Visit(Desk& desk, net::StreamPtr stream, int process)
    : desk_(desk), stream_(std::move(stream)), process_(process), changed_(stream_->socket().get_executor()) {}

void Visit::stop() {
  is_over_ = true;
  if (carrier_ != nullptr) {
    carrier_->stop();
  } else {
    stream_->close();
  }
  changed_.notify();
}

asio::awaitable<void> Visit::run() {
  bool goes_on = true;
  while (goes_on) {
    const auto line = co_await read_line();
    if (!line) break;
    auto request = parse_request(*line);
    if (request) {
      goes_on = co_await answer(std::move(*request));
    } else {
      std::string refusal = error_line(request.error());
      goes_on = co_await say(std::move(refusal));
    }
  }
  stream_->close();
}

/// Without its newline. Errors: invalid (too long), or the end of the connection.
asio::awaitable<Result<std::string>> Visit::read_line() {
  const net::Deadline deadline(stream_->socket().get_executor(), kPatience, [this] { stream_->close(); });
  std::array<std::byte, 4096> block{};
  std::size_t looked_at = 0;
  while (true) {
    if (const auto end = input_.find('\n', looked_at); end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      co_return line;
    }
    looked_at = input_.size();
    if (looked_at > kLongestLine) {
      const Error error{ErrorKind::invalid, "read", "the request", "it is too long", ""};
      std::string refusal = error_line(error);
      static_cast<void>(stream_->try_write(bytes_of(refusal)));  // it may not be heard any more
      co_return tl::unexpected(error);
    }
    const auto got = co_await stream_->read_some(block);
    if (!got) co_return tl::unexpected(got.error());
    if (*got == 0) co_return make_error(ErrorKind::cancelled, "read", "the request", "the peer has gone");
    input_.append(reinterpret_cast<const char*>(block.data()), *got);
  }
}

asio::awaitable<bool> Visit::say(std::string line) {
  const net::Deadline deadline(stream_->socket().get_executor(), kPatience, [this] { stream_->close(); });
  const auto sent = co_await stream_->write_all(bytes_of(line));
  co_return sent.has_value();
}

/// False when the conversation is over.
asio::awaitable<bool> Visit::answer(Request request) {
  Result<> outcome;
  switch (request.what) {
    case What::list: {
      std::string list = list_line(desk_);
      co_return co_await say(std::move(list));
    }
    case What::watch: co_return co_await watch();
    case What::take: co_return co_await take(std::move(request));
    case What::release: co_return false;
    case What::plug: outcome = desk_.plug(request.device); break;
    case What::unplug: outcome = desk_.unplug(request.device); break;
    case What::act: outcome = desk_.act(request.device, request.verb, request.text); break;
    case What::replug: outcome = co_await replug(request.device); break;
    case What::attach: outcome = co_await attach(request.device, request.text); break;
  }
  std::string line = done_line(outcome);
  co_return co_await say(std::move(line));
}

/// Notices the end of a peer that has nothing more to ask.
void Visit::listen_for_end() {
  asio::co_spawn(
      stream_->socket().get_executor(),
      [self = shared_from_this()]() -> asio::awaitable<void> {
        std::array<std::byte, 64> block{};
        // `release`, or the end; it may have come behind the request.
        if (self->input_.empty()) static_cast<void>(co_await self->stream_->read_some(block));
        self->is_over_ = true;
        if (self->carrier_ != nullptr) self->carrier_->stop();
        self->changed_.notify();
      },
      asio::detached);
}

asio::awaitable<bool> Visit::watch() {
  const Desk::Watch watch(desk_, [this] { changed_.notify(); });
  listen_for_end();
  while (!is_over_) {
    std::string list = list_line(desk_);
    const bool is_heard = co_await say(std::move(list));
    if (!is_heard) break;
    co_await changed_.wait();
  }
  co_return false;
}

/// The device's last redirection has ended.
asio::awaitable<void> Visit::until_free(std::string name) {
  const Desk::Watch watch(desk_, [this] { changed_.notify(); });
  while (desk_.is_lent(name)) co_await changed_.wait();
}

asio::awaitable<Result<>> Visit::replug(std::string name) {
  auto pulled = desk_.unplug(name);
  if (!pulled) co_return pulled;
  co_await until_free(name);
  co_return desk_.plug(name);
}

asio::awaitable<Result<>> Visit::attach(std::string name, std::string image) {
  auto fits = desk_.try_image(name, image);
  if (!fits) co_return fits;
  const bool was_plugged = desk_.unplug(name).has_value();
  co_await until_free(name);
  auto attached = desk_.attach(name, image);
  if (was_plugged) static_cast<void>(desk_.plug(name));  // it is there, and not plugged in
  co_return attached;
}

asio::awaitable<bool> Visit::take(Request request) {
  Holder holder{request.program, process_, now_seconds()};
  auto sockets = make_pair_of_sockets();
  auto loan = desk_.lend(request.device, std::move(holder));
  if (!loan || !sockets) {
    std::string refusal = error_line(!loan ? loan.error() : sockets.error());
    co_return co_await say(std::move(refusal));
  }
  const std::string line = taken_line(desk_, request.device);
  const auto sent = net::try_write_with_descriptor(*stream_, bytes_of(line), sockets->theirs.get());
  if (sent.status != net::IoStatus::ok || sent.bytes != line.size()) co_return false;  // it does not read
  sockets->theirs.reset();
  net::Stream::Socket socket(stream_->socket().get_executor());
  asio::error_code code;
  socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), sockets->ours.get(), code);
  if (code) co_return false;
  static_cast<void>(sockets->ours.release());
  co_await carry(**loan, net::make_plain_stream(std::move(socket)));
  std::string last = ended_line((*loan)->host());
  loan->reset();  // it is free before that is said
  static_cast<void>(co_await say(std::move(last)));
  co_return false;
}

asio::awaitable<void> Visit::carry(Desk::Loan& loan, net::StreamPtr data) {
  bridge::StreamSide side(*data);
  bridge::CarrierOptions options;
  options.on_announced = [this] { say_announced(); };
  bridge::HostCarrier carrier(stream_->socket().get_executor(), loan.host(), side, std::move(options));
  carrier_ = &carrier;
  listen_for_end();
  static_cast<void>(co_await carrier.run());
  carrier_ = nullptr;
}

void Visit::say_announced() {
  const std::string line = line_of(Json{{"state", "announced"}});
  const auto sent = stream_->try_write(bytes_of(line));
  if (sent.status != net::IoStatus::ok || sent.bytes != line.size()) stop();  // it does not read: nobody of ours
}

}  // namespace usbloop::desk
