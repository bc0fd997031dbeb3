#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "common/net/stream.h"
#include "kube-sim/http/watch_framing.h"
#include "kube-sim/objects/answer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/rest/selectors.h"
#include "kube-sim/rest/watch_options.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// What a watch asks for.
struct WatchSpec {
  View view;
  std::string namespace_;  ///< empty: all
  Selection selection;
  WatchOptions options;
};

/// Reads a watch request; the user has been authorized. 504 for a state that is still to come.
tl::expected<WatchSpec, kube::Status> read_watch(const Registry& registry, const Store& store, const Request& request,
                                                 const RequestInfo& info);

/// The events of one watch as text, in pieces of bounded size: no I/O. Used by one thread.
class WatchFeed {
 public:
  WatchFeed(const WatchSpec& spec, const Store& store, const WatchHub& hub);

  struct Piece {
    std::string text;    ///< lines of JSON; empty: nothing new
    bool ended = false;  ///< the text is the last: the cursor is too old
    bool more = false;   ///< call again at once
    std::size_t events = 0;
  };
  Piece next();
  /// A bookmark line at the present cursor; empty when the spec does not ask for bookmarks or none is new.
  std::string bookmark();

 private:
  void start(const Store& store);
  Piece initial();
  std::string line_for(const Event& event);
  std::string line(const char* type, const Object& object);
  std::string bookmark_line(bool initial_end) const;

  const WatchSpec& spec_;
  const WatchHub& hub_;
  std::uint64_t cursor_ = 0;
  std::uint64_t bookmarked_ = 0;
  std::vector<ObjectPtr> initial_;  ///< still to be sent, last first
  bool initial_end_due_ = false;
  bool columns_sent_ = false;
};

/// Sends the feed to the client until the client goes, the time is over, the watch expires or stop() is called. Holds
/// one piece of the feed at a time: a client that does not take it for half a minute is cut.
class WatchSession {
 public:
  struct Wire {
    net::Stream& stream;
    std::unique_ptr<WatchFraming> framing;
    std::string leftover;  ///< bytes that came behind the request's head
  };
  /// `sent` is told of events after they have been written.
  WatchSession(Wire wire, WatchSpec spec, const Store& store, WatchHub& hub, std::function<void(std::size_t)> sent);
  ~WatchSession();
  WatchSession(const WatchSession&) = delete;
  WatchSession& operator=(const WatchSession&) = delete;

  asio::awaitable<void> run();
  /// Ends the watch cleanly. From the stream's thread.
  void stop();
  /// Whether the client was cut because it did not take what was sent.
  [[nodiscard]] bool cut() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usbloop::apiserver
