#pragma once

#include <asio/awaitable.hpp>
#include <asio/basic_socket_acceptor.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <memory>

#include "common/error.h"
#include "common/net/address.h"
#include "common/net/stream.h"

namespace usbloop::net {

/// Waits for one connection, by TCP or on a unix socket. Belongs to the thread of its executor.
class Listener {
 public:
  enum class For {
    everybody,  ///< who reaches the address, and may write to the unix socket as the umask says
    us          ///< a unix socket that this user alone may connect to (mode 0600)
  };

  /// Looks the host up and listens. A unix socket that nobody listens on is replaced; anything else of that name stays,
  /// and is a conflict.
  static asio::awaitable<Result<std::unique_ptr<Listener>>> open(Address address, For whom);

  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// With the port that the kernel chose.
  [[nodiscard]] const Address& address() const { return address_; }

  /// The first connection; nobody else is let in then, and a unix socket's name is gone. Call once. cancelled after
  /// close().
  asio::awaitable<Result<StreamPtr>> accept();

  /// Ends accept(), and removes a unix socket's name. Idempotent.
  void close();

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
  Listener(Acceptor acceptor, Address address) : acceptor_(std::move(acceptor)), address_(std::move(address)) {}

  Acceptor acceptor_;
  Address address_;
};

}  // namespace usbloop::net
