#include "client/api_get.h"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "client/messages.h"
#include "common/http/answer.h"
#include "common/net/deadline.h"
#include "common/websocket/server_stream.h"

namespace usbloop::client {

namespace {

constexpr std::size_t kMostBody = 4 * 1024 * 1024;

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

/// What is asked: an object that is posted, or none.
struct Question {
  std::string path;
  std::string body;

  [[nodiscard]] const char* method() const { return body.empty() ? "GET" : "POST"; }
};

std::string request_text(const kube::ClusterAccess& access, const Question& question) {
  std::string text = question.method() + (" " + access.path_prefix + question.path) +
                     " HTTP/1.1\r\nHost: " + websocket::host_header(access) +
                     "\r\nUser-Agent: usbloop/" USBLOOP_VERSION "\r\nAccept: application/json\r\nConnection: close\r\n";
  if (const auto authorization = access.authorization()) text += "Authorization: " + *authorization + "\r\n";
  for (const auto& [name, value] : access.impersonation()) text += name + ": " + value + "\r\n";
  if (!question.body.empty()) {
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(question.body.size()) + "\r\n";
  }
  return text + "\r\n" + question.body;
}

asio::awaitable<Result<HttpAnswer>> exchange(net::Stream& stream, std::string request) {
  if (auto sent = co_await stream.write_all(std::as_bytes(std::span(request))); !sent) {
    co_return tl::unexpected(sent.error());
  }
  const http::ReadMore read_more = http::reader_of(stream);
  const auto answer = co_await http::read_answer(read_more);
  if (!answer) co_return tl::unexpected(answer.error());
  auto body = co_await http::read_body(read_more, answer->head, answer->rest, kMostBody);
  if (!body) co_return tl::unexpected(body.error());
  if (body->end != http::Body::End::complete) {
    co_return make_error(ErrorKind::protocol, "read", "the answer", "it is cut off or too long");
  }
  HttpAnswer whole;
  whole.status = answer->head.status;
  whole.content_type = answer->head.header("Content-Type");
  whole.body = std::move(body->text);
  co_return whole;
}

asio::awaitable<Result<HttpAnswer>> ask(const kube::ClusterAccess& access, Question question,
                                        std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  auto stream = co_await websocket::open_server_stream(access, timeout);
  if (!stream) co_return tl::unexpected(explain_connect_error(stream.error(), access));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  const net::Deadline deadline((*stream)->socket().get_executor(), left, [raw = stream->get()] { raw->close(); });
  auto answer = co_await exchange(**stream, request_text(access, question));
  if (!answer && deadline.expired())
    co_return make_error(ErrorKind::timeout, "get", question.path, "no answer in time");
  co_return answer;
}

ErrorKind kind_of_status(int status) {
  if (status == 404) return ErrorKind::not_found;
  return status == 401 || status == 403 ? ErrorKind::denied : ErrorKind::unavailable;
}

Result<nlohmann::json> answer_to(const kube::ClusterAccess& access, const Question& question,
                                 std::chrono::milliseconds timeout) {
  asio::io_context loop;
  std::optional<Result<HttpAnswer>> answer;
  std::exception_ptr failure;
  asio::co_spawn(loop, ask(access, question, timeout), [&](std::exception_ptr error, Result<HttpAnswer> result) {
    failure = error;
    answer = std::move(result);
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  if (!*answer) return tl::unexpected(answer->error());
  const auto& got = **answer;
  if (got.status != 200 && got.status != 201) {
    return make_error(
        kind_of_status(got.status), "get", question.path,
        "(" + std::to_string(got.status) + "): " + refusal_message({got.status, got.content_type, got.body}));
  }
  auto object = nlohmann::json::parse(got.body, nullptr, false);
  if (!object.is_object()) return make_error(ErrorKind::protocol, "get", question.path, "the answer is no JSON object");
  return object;
}

}  // namespace

Result<nlohmann::json> api_get(const kube::ClusterAccess& access, const std::string& path,
                               std::chrono::milliseconds timeout) {
  return answer_to(access, {path, ""}, timeout);
}

Result<nlohmann::json> api_create(const kube::ClusterAccess& access, const std::string& path,
                                  const nlohmann::json& object, std::chrono::milliseconds timeout) {
  return answer_to(access, {path, object.dump()}, timeout);
}

}  // namespace usbloop::client
