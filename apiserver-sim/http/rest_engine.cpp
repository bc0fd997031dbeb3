#include "apiserver-sim/http/rest_engine.h"

#include <httplib.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>

#include "apiserver-sim/api/answer.h"
#include "apiserver-sim/api/codec.h"
#include "apiserver-sim/http/response_text.h"
#include "common/kube/status.h"

namespace usbloop::apiserver {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRequestTime{30};
/// A chunked body has its framing beside its content; more than this beyond the limit is a client that wastes our time.
constexpr std::size_t kMaxWireBytes = 2 * kMaxBodyBytes;

/// A stream of ours as cpp-httplib wants one. It reads the bytes that were read already, then the stream, blocking and
/// with a deadline. What it writes is kept: a client that does not read must not hold up a worker.
class BlockingStream final : public httplib::Stream {
 public:
  BlockingStream(net::Stream& stream, std::string& buffered)
      : stream_(stream), buffered_(buffered), deadline_(Clock::now() + kRequestTime) {}
  ~BlockingStream() override { buffered_.erase(0, taken_); }

  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }

  using httplib::Stream::write;

  ssize_t read(char* bytes, std::size_t size) override {
    if (size == 0) return 0;
    if (taken_ < buffered_.size()) {
      const std::size_t count = std::min(size, buffered_.size() - taken_);
      std::memcpy(bytes, buffered_.data() + taken_, count);
      taken_ += count;
      return static_cast<ssize_t>(count);
    }
    if (!flush()) return -1;
    const ssize_t count = move([&] { return stream_.try_read({reinterpret_cast<std::byte*>(bytes), size}); });
    if (count > 0) wire_bytes_ += static_cast<std::size_t>(count);
    return wire_bytes_ > kMaxWireBytes ? -1 : count;
  }

  ssize_t write(const char* bytes, std::size_t size) override {
    output_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }

  std::string take_output() { return std::move(output_); }

  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  [[nodiscard]] socket_t socket() const override { return stream_.socket().native_handle(); }

 private:
  /// Before it is waited for the client: "100 Continue", without which it would send no body.
  bool flush() {
    while (!output_.empty()) {
      const ssize_t count = move([&] { return stream_.try_write(std::as_bytes(std::span(output_))); });
      if (count <= 0) return false;
      output_.erase(0, static_cast<std::size_t>(count));
    }
    return true;
  }

  /// Repeats a non-blocking operation until it moved bytes, ended (0) or failed (-1).
  template <typename Operation>
  ssize_t move(Operation operation) {
    while (true) {
      const net::IoResult result = operation();
      switch (result.status) {
        case net::IoStatus::ok: return static_cast<ssize_t>(result.bytes);
        case net::IoStatus::end: return 0;
        case net::IoStatus::failed: return -1;
        default: break;
      }
      if (!wait(result.status == net::IoStatus::want_write ? POLLOUT : POLLIN)) return -1;
    }
  }

  bool wait(short events) const {
    pollfd entry{stream_.socket().native_handle(), events, 0};
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      if (left <= 0) return false;
      const int ready = ::poll(&entry, 1, static_cast<int>(left));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  net::Stream& stream_;
  std::string& buffered_;
  std::size_t taken_ = 0;
  std::size_t wire_bytes_ = 0;
  std::string output_;
  Clock::time_point deadline_;
};

}  // namespace

class RestEngine::Server final : public httplib::Server {
 public:
  explicit Server(RestEngine::Handler handler) : handler_(std::move(handler)) {
    // One pattern for all: the paths are taken apart by read_request_info, and not once per pattern by std::regex.
    const std::string any = R"(/.*)";
    Get(any, [this](const auto& request, auto& response) { answer(request, {}, response); });
    Options(any, [this](const auto& request, auto& response) { answer(request, {}, response); });
    Delete(any, [this](const auto& request, auto& response) { answer(request, {}, response); });
    const auto with_body = [this](const auto& request, auto& response, const auto& reader) {
      answer_with_body(request, response, reader);
    };
    Post(any, httplib::Server::HandlerWithContentReader(with_body));
    Put(any, httplib::Server::HandlerWithContentReader(with_body));
    Patch(any, httplib::Server::HandlerWithContentReader(with_body));
    Delete(any, httplib::Server::HandlerWithContentReader(with_body));
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      kube::Status status = kube::bad_request("the request could not be read");
      status.code = response.status;
      response.set_content(kube::body(status), "application/json");
    });
    set_logger([this](const httplib::Request&, const httplib::Response& response) { code_ = response.status; });
    set_keep_alive_timeout(120);
    set_keep_alive_max_count(100'000);
    set_payload_max_length(kMaxBodyBytes);
  }

  RestEngine::Served serve(net::Stream& stream, std::string& buffered, const User& user, const std::string& audit_id) {
    set_default_headers({{"Audit-Id", audit_id}});
    BlockingStream blocking(stream, buffered);
    user_ = &user;
    must_close_ = false;
    code_ = 0;
    bool closed = false;
    const bool served = process(blocking, closed);
    user_ = nullptr;
    std::string output = blocking.take_output();
    sort_headers(output);  // cpp-httplib 0.18 writes them in any order
    return {served && !closed && !must_close_, code_, std::move(output)};
  }

 private:
  bool process(BlockingStream& stream, bool& closed) {
    const auto setup = [](httplib::Request& request) {
      // On one machine compression costs more than it saves; ranges mean nothing here.
      request.headers.erase("Accept-Encoding");
      request.ranges.clear();
    };
    return process_with(*this, stream, closed, setup);
  }

  /// 0.11 takes the stream alone, 0.18 the addresses of both ends as well.
  template <typename Self, typename Setup>
  static bool process_with(Self& self, BlockingStream& stream, bool& closed, const Setup& setup) {
    if constexpr (requires { self.process_request(stream, false, closed, setup); }) {
      return self.process_request(stream, false, closed, setup);
    } else {
      return self.process_request(stream, std::string(), 0, std::string(), 0, false, closed, setup);
    }
  }

  template <typename Reader>
  void answer_with_body(const httplib::Request& request, httplib::Response& response, const Reader& reader) {
    std::string body;
    bool too_large = false;
    if (request.is_multipart_form_data()) {
      must_close_ = true;
      return put(answer_status(kube::unsupported_media_type({"application/json", "application/yaml"})), response);
    }
    const bool complete = reader([&](const char* bytes, std::size_t size) {
      too_large = body.size() + size > kMaxBodyBytes;  // after decompression
      if (!too_large) body.append(bytes, size);
      return !too_large;
    });
    if (too_large || !complete) {
      too_large = too_large || response.status == 413;  // 0.18 counts chunks itself
      must_close_ = true;
      put(answer_status(too_large ? kube::request_entity_too_large(kMaxBodyBytes)
                                  : kube::bad_request("the body of the request could not be read")),
          response);
      return;
    }
    answer(request, std::move(body), response);
  }

  void answer(const httplib::Request& from, std::string body, httplib::Response& response) {
    auto target = parse_target(from.target);
    if (!target) return put(answer_status(kube::bad_request("the path of the request is not valid")), response);
    Request request;
    request.method = from.method;
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    request.content_type = from.get_header_value("Content-Type");
    request.accept = from.get_header_value("Accept");
    request.if_none_match = from.get_header_value("If-None-Match");
    request.user_agent = from.get_header_value("User-Agent");
    request.body = std::move(body);
    request.user = *user_;
    put(handler_(request), response);
  }

  static void put(Response from, httplib::Response& response) {
    response.status = from.code;
    for (auto& [name, value] : from.headers) response.set_header(name, value);
    response.body = std::move(from.body);
    if (!from.content_type.empty()) response.set_header("Content-Type", from.content_type);
  }

  RestEngine::Handler handler_;
  const User* user_ = nullptr;
  bool must_close_ = false;
  int code_ = 0;
};

RestEngine::RestEngine(Handler handler) : server_(std::make_unique<Server>(std::move(handler))) {}
RestEngine::~RestEngine() = default;

RestEngine::Served RestEngine::serve(net::Stream& stream, std::string& buffered, const User& user,
                                     const std::string& audit_id) {
  return server_->serve(stream, buffered, user, audit_id);
}

}  // namespace usbloop::apiserver
