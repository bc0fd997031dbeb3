#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <memory>
#include <set>
#include <string>

#include "common/error.h"
#include "device-sim/desk/desk.h"
#include "device-sim/desk/visit.h"

namespace usbloop::desk {

/// The control socket of a desk: only this user (and root) may speak there, and a bounded number of peers at a time.
/// Belongs to the thread that runs the loop.
class Server {
 public:
  static constexpr std::size_t kMostVisits = 160;  ///< each device may be held, watched and acted on

  /// Listens at `path`, mode 0600. A socket that nobody listens on is replaced. Errors: conflict (a desk runs there).
  static Result<std::unique_ptr<Server>> listen(asio::io_context& loop, const std::string& path);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves `desk`, which must outlive the loop, until stop(); the loop has no more work then.
  void serve(Desk& desk);

  /// Gives all devices back in an orderly way, and ends.
  void stop();

 private:
  using Acceptor = asio::local::stream_protocol::acceptor;
  Server(Acceptor acceptor, std::string path) : acceptor_(std::move(acceptor)), path_(std::move(path)) {}

  asio::awaitable<void> accept(Desk& desk);
  void welcome(Desk& desk, asio::local::stream_protocol::socket socket);
  void close();

  Acceptor acceptor_;
  const std::string path_;
  std::set<std::shared_ptr<Visit>> visits_;
};

}  // namespace usbloop::desk
