#include "launcher-sim/action_request.h"

#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <optional>

namespace usbloop::launcher {
namespace {

/// Shorter than the 10 s that the API server waits for.
constexpr std::chrono::milliseconds kActionTime{8'000};

/// libvirt's word for a guest without an agent, as virt-launcher passes it on.
constexpr const char* kNoAgent =
    "LibvirtError(Code=86, Domain=10, Message='Guest agent is not responding: QEMU guest agent is not connected')";

std::string command_failed(std::string_view command, const std::string& cause) {
  return "server error. command " + std::string(command) + " failed: \"" + cause + "\"";
}

/// virt-launcher's name of the command that needs the agent.
std::string_view agent_command(std::string_view endpoint) {
  if (endpoint == "freeze") return "Freeze";
  if (endpoint == "unfreeze") return "Unfreeze";
  return "GetGuestInfo";
}

asio::awaitable<Result<>> wait_for(asio::io_context& loop, const PerformAction& perform, std::string uid,
                                   GuestAction action) {
  struct State {
    asio::steady_timer timer;
    std::optional<Result<>> result;
  };
  const auto state = std::make_shared<State>(State{asio::steady_timer(loop, kActionTime), std::nullopt});
  perform(uid, action, [&loop, state](const Result<>& result) {
    asio::post(loop, [state, result] {
      state->result = result;
      state->timer.cancel();
    });
  });
  asio::error_code ignored;
  co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (state->result) co_return *state->result;
  co_return make_error(ErrorKind::timeout, "hear from", "the guest", "no answer in time");
}

}  // namespace

asio::awaitable<std::string> answer_action(asio::io_context& loop, const PerformAction& perform, ChannelRequest request,
                                           std::string uid) {
  if (request.kind == ChannelRequest::Kind::agent)
    co_return plain_response(400, command_failed(agent_command(request.endpoint), kNoAgent));
  if (!perform) {
    co_return plain_response(500, command_failed(command_name(request.guest_action), "the node begins"));
  }
  const Result<> done = co_await wait_for(loop, perform, std::move(uid), request.guest_action);
  if (done) co_return plain_response(202, {});
  co_return plain_response(500, command_failed(command_name(request.guest_action), done.error().cause));
}

}  // namespace usbloop::launcher
