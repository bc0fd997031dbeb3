#include "client/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "common/http/head_grammar.h"
#include "common/websocket/handshake.h"

namespace usbloop::client::testing {

namespace {

constexpr std::chrono::seconds kTooLong{20};
constexpr std::chrono::milliseconds kDrip{20};

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string("the scripted server cannot ") + what);
}

std::string read_head(int socket) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n") && ::recv(socket, &byte, 1, 0) == 1) head.push_back(byte);
  return head;
}

}  // namespace

/// Shut down by the test's thread, closed by the thread that serves it.
struct ScriptedServer::Connection {
  explicit Connection(int accepted) : socket(accepted) {}
  const int socket;
  bool is_session = false;
  bool open = true;
};

ScriptedServer::ScriptedServer() { start(); }

ScriptedServer::~ScriptedServer() { kill(); }

kube::ClusterAccess ScriptedServer::access() const {
  kube::ClusterAccess access;
  access.host = "127.0.0.1";
  access.port = port_;
  access.tls = false;
  return access;
}

void ScriptedServer::start() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
  check(::listen(listener_, 16) == 0, "listen");
  check(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0, "know its port");
  port_ = ntohs(address.sin_port);
  ending_ = false;
  acceptor_ = std::thread([this] { listen(); });
}

void ScriptedServer::kill() {
  if (!acceptor_.joinable()) return;
  ::shutdown(listener_, SHUT_RDWR);  // which wakes accept()
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const auto& connection : connections_) {
      if (connection->open) ::shutdown(connection->socket, SHUT_RDWR);
    }
  }
  changed_.notify_all();
  for (auto& server : servers_) server.join();
  servers_.clear();
  connections_.clear();
}

void ScriptedServer::listen() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock(mutex_);
    connections_.push_back(std::make_shared<Connection>(socket));
    servers_.emplace_back([this, connection = connections_.back()] { serve(connection); });
  }
}

void ScriptedServer::serve(const std::shared_ptr<Connection>& connection) {
  const std::string head = read_head(connection->socket);
  if (!head.empty()) answer(*connection, head);
  const std::lock_guard lock(mutex_);
  connection->open = false;
  ::close(connection->socket);
  changed_.notify_all();
}

void ScriptedServer::answer(Connection& connection, const std::string& head) {
  const std::string target = head.substr(4, head.find(' ', 4) - 4);
  if (!target.ends_with("/usbredir")) {
    const std::string text = object_for(target);
    send(connection, text, drips_objects_);
    return;
  }
  const std::string refusal = next_refusal();
  if (drips_websockets_) {
    send(connection, "HTTP/1.1 101 Switching Protocols\r\nX-Endless: ", true);
  } else if (refusal.empty()) {
    run_session(connection, head);
  } else {
    send(connection, refusal, false);
  }
}

std::string ScriptedServer::next_refusal() {
  const std::lock_guard lock(mutex_);
  ++requests_;
  changed_.notify_all();
  if (refusals_.empty()) return refuse_all_;
  std::string first = std::move(refusals_.front());
  refusals_.pop_front();
  return first;
}

std::string ScriptedServer::object_for(const std::string& target) {
  const std::lock_guard lock(mutex_);
  for (const auto& [path_end, json] : objects_) {
    if (!target.ends_with(path_end)) continue;
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(json.size()) +
           "\r\nConnection: close\r\n\r\n" + json;
  }
  return status_answer(404, "not found");
}

void ScriptedServer::run_session(Connection& connection, const std::string& head) {
  const auto request = http::parse_request_head(head);
  if (!request) return;
  const std::string answer = websocket::upgrade_response(request->fields) + std::string("\x82\x05hello", 7);
  {
    const std::lock_guard lock(mutex_);
    connection.is_session = true;
    ++sessions_;
    // Under the lock, so that no cut comes between the session and its hello.
    static_cast<void>(::send(connection.socket, answer.data(), answer.size(), MSG_NOSIGNAL));
  }
  changed_.notify_all();
  char dropped[4096];
  while (::recv(connection.socket, dropped, sizeof dropped, 0) > 0) {
  }
}

void ScriptedServer::send(Connection& connection, const std::string& text, bool dripping) {
  if (!dripping) {
    static_cast<void>(::send(connection.socket, text.data(), text.size(), MSG_NOSIGNAL));
    return;
  }
  for (std::size_t index = 0;; ++index) {
    const char byte = index < text.size() ? text[index] : 'x';
    if (::send(connection.socket, &byte, 1, MSG_NOSIGNAL) != 1) return;
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kDrip, [this] { return ending_; })) return;
  }
}

bool ScriptedServer::wait(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kTooLong, condition);
}

bool ScriptedServer::wait_sessions(std::size_t count) {
  return wait([&] { return sessions_ >= count; });
}

bool ScriptedServer::wait_requests(std::size_t count) {
  return wait([&] { return requests_ >= count; });
}

bool ScriptedServer::wait_no_session() {
  return wait([&] {
    for (const auto& connection : connections_) {
      if (connection->is_session && connection->open) return false;
    }
    return true;
  });
}

std::size_t ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedServer::refuse_next(std::string answer) {
  const std::lock_guard lock(mutex_);
  refusals_.push_back(std::move(answer));
}

void ScriptedServer::refuse_all(std::string answer) {
  const std::lock_guard lock(mutex_);
  refuse_all_ = std::move(answer);
}

void ScriptedServer::set_object(const std::string& path_end, std::string json) {
  const std::lock_guard lock(mutex_);
  objects_[path_end] = std::move(json);
}

void ScriptedServer::remove_object(const std::string& path_end) {
  const std::lock_guard lock(mutex_);
  objects_.erase(path_end);
}

void ScriptedServer::drip(bool also_websockets) {
  const std::lock_guard lock(mutex_);
  drips_objects_ = true;
  drips_websockets_ = also_websockets;
}

void ScriptedServer::cut() {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : connections_) {
    if (connection->is_session && connection->open) ::shutdown(connection->socket, SHUT_RDWR);
  }
}

void ScriptedServer::close(std::uint16_t code) {
  const std::lock_guard lock(mutex_);
  const char frame[] = {'\x88', 2, static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  for (const auto& connection : connections_) {
    if (!connection->is_session || !connection->open) continue;
    static_cast<void>(::send(connection->socket, frame, sizeof frame, MSG_NOSIGNAL));
    ::shutdown(connection->socket, SHUT_WR);
  }
}

std::string status_answer(int code, const std::string& message) {
  const std::string body = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" +
                           message + R"(","code":)" + std::to_string(code) + "}";
  return "HTTP/1.1 " + std::to_string(code) +
         " No\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace usbloop::client::testing
