#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "launcher-sim/channel_request.h"

namespace usbloop::launcher {

/// One open session. `end` closes the device's side; the session's coroutine owns what it works on.
struct Session {
  std::string uid;
  ChannelRequest::Kind kind;
  std::function<void()> end;
};

/// The open sessions of a node. Not thread-safe.
class SessionList {
 public:
  /// Keeps a session among the open ones as long as this lives.
  class Entry {
   public:
    Entry(SessionList& list, Session session) : list_(list), session_(std::move(session)) {
      list_.sessions_.insert(&session_);
    }
    ~Entry() { list_.sessions_.erase(&session_); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    SessionList& list_;
    const Session session_;
  };

  /// Whether the guest has a session of that kind.
  [[nodiscard]] bool has(const std::string& uid, ChannelRequest::Kind kind) const {
    return std::any_of(sessions_.begin(), sessions_.end(),
                       [&](const Session* session) { return session->uid == uid && session->kind == kind; });
  }

  void end_of_kind(const std::string& uid, ChannelRequest::Kind kind) {
    for (const Session* session : sessions_) {
      if (session->uid == uid && session->kind == kind) session->end();
    }
  }

  void end_of_guest(const std::string& uid) {
    for (const Session* session : sessions_) {
      if (session->uid == uid) session->end();
    }
  }

  void end_all() {
    for (const Session* session : sessions_) session->end();
  }

 private:
  std::set<const Session*> sessions_;
};

}  // namespace usbloop::launcher
