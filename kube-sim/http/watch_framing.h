#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "common/http/head.h"
#include "kube-sim/http/response_text.h"

namespace usbloop::apiserver {

/// How a watch stands on the wire. No I/O. Used by one thread.
class WatchFraming {
 public:
  virtual ~WatchFraming() = default;
  WatchFraming() = default;
  WatchFraming(const WatchFraming&) = delete;
  WatchFraming& operator=(const WatchFraming&) = delete;

  /// The status of the answer that head() gives.
  [[nodiscard]] virtual int code() const = 0;
  /// What goes out first.
  [[nodiscard]] virtual std::string head() const = 0;
  /// Events, each a line of JSON with its newline, as they go out; empty: nothing may go out any more.
  virtual std::string events(const std::string& lines) = 0;
  /// What goes out last.
  virtual std::string last() = 0;

  enum class Heard {
    nothing,
    question,  ///< take_answer() has something to send
    end        ///< the client has ended the watch
  };
  /// Takes what the client sends, and may change the bytes.
  virtual Heard receive(std::span<std::byte> bytes) = 0;
  /// What the client waits for, once; empty: nothing.
  virtual std::string take_answer() = 0;
};

/// The framing that the request asks for: a websocket, or a response in chunks.
std::unique_ptr<WatchFraming> framing_for(const http::Head& request, const AnswerForm& form);

/// A response in chunks. A watching client sends nothing more: what comes is ignored.
std::unique_ptr<WatchFraming> chunked_framing(const AnswerForm& form);

}  // namespace usbloop::apiserver
