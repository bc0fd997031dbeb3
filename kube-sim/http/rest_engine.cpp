#include "kube-sim/http/rest_engine.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/kube/status.h"
#include "kube-sim/http/request_head.h"
#include "kube-sim/http/response_text.h"
#include "kube-sim/objects/answer.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {
namespace {

/// The request as cpp-httplib reads one: a head with a length, and the body.
std::string engine_head(const RestEngine::Work& work) {
  std::string text = work.head.method + " " + work.head.target + " HTTP/1.1\r\n";
  for (const char* name : {"Accept", "Content-Encoding", "Content-Type", "If-None-Match", "User-Agent"}) {
    if (work.head.has_header(name)) text.append(name).append(": ").append(work.head.header(name)).append("\r\n");
  }
  if (has_body(work.head.method)) text += "Content-Length: " + std::to_string(work.body.size()) + "\r\n";
  if (!work.keep_alive) text += "Connection: close\r\n";
  return text + "\r\n";
}

/// A request and its answer in memory, as cpp-httplib wants a stream.
class MemoryStream final : public httplib::Stream {
 public:
  MemoryStream(std::string head, std::string_view body) : head_(std::move(head)), rest_{head_, body} {}

  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }

  using httplib::Stream::write;

  ssize_t read(char* bytes, std::size_t size) override {
    std::string_view& source = rest_[0].empty() ? rest_[1] : rest_[0];
    const std::size_t count = std::min(size, source.size());
    source.copy(bytes, count);
    source.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* bytes, std::size_t size) override {
    output_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }

  std::string take_output() { return std::move(output_); }

  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

 private:
  const std::string head_;
  std::array<std::string_view, 2> rest_;  ///< of the head and of the body: what was not read
  std::string output_;
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

  RestEngine::Served serve(const RestEngine::Work& work) {
    set_default_headers({{"Audit-Id", work.audit_id}});
    MemoryStream stream(engine_head(work), work.body);
    user_ = &work.user;
    code_ = 0;
    bool closed = false;
    const bool served = process(stream, closed);
    user_ = nullptr;
    std::string output = stream.take_output();
    sort_headers(output);  // cpp-httplib 0.18 writes them in any order
    return {served && !closed, code_, std::move(output)};
  }

 private:
  bool process(MemoryStream& stream, bool& closed) {
    const auto setup = [](httplib::Request& request) {
      // On one machine compression costs more than it saves; ranges mean nothing here.
      request.headers.erase("Accept-Encoding");
      request.ranges.clear();
    };
    return process_with(*this, stream, closed, setup);
  }

  /// 0.11 takes the stream alone, 0.18 the addresses of both ends as well.
  template <typename Self, typename Setup>
  static bool process_with(Self& self, MemoryStream& stream, bool& closed, const Setup& setup) {
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
      return put(answer_status(kube::unsupported_media_type({"application/json", "application/yaml"})), response);
    }
    const bool complete = reader([&](const char* bytes, std::size_t size) {
      too_large = body.size() + size > kMaxBodyBytes;  // after decompression
      if (!too_large) body.append(bytes, size);
      return !too_large;
    });
    if (too_large || !complete) {
      too_large = too_large || response.status == 413;  // 0.18 counts chunks itself
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
  int code_ = 0;
};

RestEngine::RestEngine(Handler handler) : server_(std::make_unique<Server>(std::move(handler))) {}
RestEngine::~RestEngine() = default;

RestEngine::Served RestEngine::serve(const Work& work) { return server_->serve(work); }

}  // namespace usbloop::apiserver
