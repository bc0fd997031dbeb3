#include "common/kube/rest_client.h"

#include <httplib.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "common/json_text.h"
#include "common/kube/event_lines.h"
#include "common/kube/http_client.h"
#include "common/kube/status.h"
#include "common/percent_text.h"

namespace usbloop::kube {
namespace {

using nlohmann::json;

/// Cuts a running request when stop is requested. httplib's stop() has no effect before the socket is connected, so it
/// is repeated until the request has returned.
class Interrupt {
 public:
  Interrupt(httplib::ClientImpl& client, const std::stop_token& stop)
      : client_(client), caller_(std::this_thread::get_id()), callback_(stop, [this] { cut(); }) {}
  ~Interrupt() {
    {
      const std::lock_guard lock(mutex_);
      returned_ = true;
    }
    changed_.notify_all();
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  void cut() {
    std::unique_lock lock(mutex_);
    while (!returned_) {
      lock.unlock();
      client_.stop();
      lock.lock();
      // The request's own thread asked for the stop (before the request began, or from a callback): it looks at the
      // token itself.
      if (std::this_thread::get_id() == caller_) return;
      changed_.wait_for(lock, std::chrono::milliseconds(5), [this] { return returned_; });
    }
  }

  httplib::ClientImpl& client_;
  std::thread::id caller_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool returned_ = false;
  std::stop_callback<std::function<void()>> callback_;
};

ErrorKind kind_of_code(int code) {
  switch (code) {
    case 404: return ErrorKind::not_found;
    case 409:
    case 410: return ErrorKind::conflict;
    case 401:
    case 403: return ErrorKind::denied;
    case 408:
    case 504: return ErrorKind::timeout;
    case 429: return ErrorKind::unavailable;
    default: return code >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
  }
}

Error refusal(const std::string& operation, const std::string& path, int code, const std::string& body) {
  std::string cause = "HTTP status " + std::to_string(code);
  if (const auto status = parse_status(body)) {
    cause =
        (status->reason.empty() ? "Status" : status->reason) + " (" + std::to_string(code) + "): " + status->message;
  } else if (!body.empty()) {
    cause += ": " + body.substr(0, 200);
  }
  return {kind_of_code(code), operation, path, std::move(cause)};
}

const char* operation_name(const std::string& method) {
  if (method == "GET") return "get";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  return "delete";
}

const char* patch_content_type(PatchType type) {
  switch (type) {
    case PatchType::merge: return "application/merge-patch+json";
    case PatchType::json_patch: return "application/json-patch+json";
    case PatchType::strategic_merge: return "application/strategic-merge-patch+json";
  }
  return "";
}

/// Spread, so that the watches of many clients do not end at the same moment.
std::chrono::seconds with_jitter(std::chrono::seconds time) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return time + std::chrono::seconds(std::uniform_int_distribution<std::int64_t>(0, time.count())(random));
}

/// Invalid UTF-8 in what we were given must not throw here.
std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

class RestClient::Impl {
 public:
  Impl(ClusterAccess access, std::string user_agent, RestOptions options)
      : access_(std::move(access)), user_agent_(std::move(user_agent)), options_(options) {}

  [[nodiscard]] const RestOptions& options() const { return options_; }
  [[nodiscard]] const ClusterAccess& access() const { return access_; }
  [[nodiscard]] const std::string& user_agent() const { return user_agent_; }

  [[nodiscard]] Result<json> exchange(httplib::Request request, const std::stop_token& stop) const {
    const std::string operation = operation_name(request.method);
    const std::string object = request.path;
    std::string body;
    bool too_long = false;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      too_long = body.size() + size > options_.max_body_bytes;
      if (!too_long) body.append(data, size);
      return !too_long;
    };
    auto answered = send(std::move(request), options_.answer_timeout, operation, stop);
    if (too_long) return make_error(ErrorKind::protocol, operation, object, "the answer is too long");
    if (!answered) return tl::unexpected(answered.error());
    if (*answered < 200 || *answered > 299) return tl::unexpected(refusal(operation, object, *answered, body));
    auto parsed = parse_json_object(body);
    if (!parsed) return make_error(ErrorKind::protocol, operation, object, "the answer: " + parsed.error().cause);
    return parsed;
  }

  [[nodiscard]] Result<WatchEnd> watch(const std::string& path, std::string_view version, const OnEvent& on_event,
                                       const std::stop_token& stop) const {
    const auto time = with_jitter(options_.watch_time);
    httplib::Request request =
        new_request("GET", path + (path.find('?') == std::string::npos ? "?" : "&") +
                               "allowWatchBookmarks=true&resourceVersion=" + percent_encoded(version) +
                               "&timeoutSeconds=" + std::to_string(time.count()) + "&watch=true");
    EventLines lines(options_.max_event_bytes);
    std::string refusal_text;
    int status = 0;
    bool ended_by_callback = false;
    request.response_handler = [&](const httplib::Response& response) {
      status = response.status;
      return true;
    };
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      if (stop.stop_requested()) return false;
      if (status != 200) {
        refusal_text.append(data, std::min(size, options_.max_event_bytes - refusal_text.size()));
        return true;
      }
      const bool more = lines.feed({data, size}, on_event);
      ended_by_callback = !more && !lines.error();
      return more;
    };
    // Bookmarks come about once a minute; a server that is silent for longer than the watch may last is gone.
    auto answered = send(std::move(request), time + options_.answer_timeout, "watch", stop);
    if (stop.stop_requested()) return make_error(ErrorKind::cancelled, "watch", path, "asked to stop");
    if (lines.expired() || status == 410) return WatchEnd::expired;
    if (auto error = lines.error()) return make_error(ErrorKind::protocol, "watch", path, *error);
    if (ended_by_callback) return WatchEnd::closed;
    if (status != 0 && status != 200) return tl::unexpected(refusal("watch", path, status, refusal_text));
    if (!answered) return tl::unexpected(answered.error());
    return WatchEnd::closed;
  }

  [[nodiscard]] httplib::Request new_request(std::string method, const std::string& path) const {
    httplib::Request request;
    request.method = std::move(method);
    request.path = path;
    return request;
  }

 private:
  /// Runs one request on a connection of its own. The HTTP status, or why there was none.
  [[nodiscard]] Result<int> send(httplib::Request request, std::chrono::milliseconds silence,
                                 const std::string& operation, const std::stop_token& stop) const {
    const std::string object = request.path;
    try {
      auto client = make_http_client(access_, options_.connect_timeout, silence);
      if (!client) return tl::unexpected(client.error());
      request.path = access_.path_prefix + request.path;
      request.set_header("Accept", "application/json");
      request.set_header("Accept-Encoding", "identity");
      request.set_header("Connection", "close");
      request.set_header("User-Agent", user_agent_);
      if (const auto authorization = access_.authorization()) request.set_header("Authorization", *authorization);
      for (const auto& [name, value] : access_.impersonation()) request.headers.emplace(name, value);
      if (stop.stop_requested()) return make_error(ErrorKind::cancelled, operation, object, "asked to stop");
      const Interrupt interrupt(**client, stop);
      const httplib::Result result = (*client)->send(request);
      if (stop.stop_requested()) return make_error(ErrorKind::cancelled, operation, object, "asked to stop");
      if (result) return result->status;
      // A server with the wrong certificate stays wrong however often it is asked: the caller need not try again.
      const auto kind =
          result.error() == httplib::Error::SSLServerVerification ? ErrorKind::denied : ErrorKind::unavailable;
      return make_error(kind, operation, object, access_.url() + ": " + to_text(result.error()));
    } catch (const std::exception& exception) {
      return make_error(ErrorKind::internal, operation, object, exception.what());
    }
  }

  ClusterAccess access_;
  std::string user_agent_;
  RestOptions options_;
};

Result<RestClient> RestClient::make(ClusterAccess access, std::string user_agent, RestOptions options) {
  if (access.proxy) {
    return make_error(ErrorKind::invalid, "use", "the proxy " + access.proxy.url(),
                      "this program goes to its API server directly", "Use a kubeconfig without proxy-url.");
  }
  // Bad certificates and keys are found here and not at the first request.
  if (auto client = make_http_client(access, options.connect_timeout, options.answer_timeout); !client) {
    return tl::unexpected(client.error());
  }
  return RestClient(std::make_shared<const Impl>(std::move(access), std::move(user_agent), options));
}

RestClient::RestClient(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
RestClient::RestClient(RestClient&&) noexcept = default;
RestClient& RestClient::operator=(RestClient&&) noexcept = default;
RestClient::~RestClient() = default;

RestClient RestClient::with_options(RestOptions options) const {
  return RestClient(std::make_shared<const Impl>(impl_->access(), impl_->user_agent(), options));
}

Result<json> RestClient::get(const std::string& path, const std::stop_token& stop) const {
  return impl_->exchange(impl_->new_request("GET", path), stop);
}

Result<json> RestClient::create(const std::string& path, const json& object, const std::stop_token& stop) const {
  auto request = impl_->new_request("POST", path);
  request.body = dump(object);
  request.set_header("Content-Type", "application/json");
  return impl_->exchange(std::move(request), stop);
}

Result<json> RestClient::update(const std::string& path, const json& object, const std::stop_token& stop) const {
  auto request = impl_->new_request("PUT", path);
  request.body = dump(object);
  request.set_header("Content-Type", "application/json");
  return impl_->exchange(std::move(request), stop);
}

Result<json> RestClient::patch(const std::string& path, PatchType type, const json& change,
                               const std::stop_token& stop) const {
  auto request = impl_->new_request("PATCH", path);
  request.body = dump(change);
  request.set_header("Content-Type", patch_content_type(type));
  return impl_->exchange(std::move(request), stop);
}

Result<json> RestClient::remove(const std::string& path, const std::stop_token& stop) const {
  return impl_->exchange(impl_->new_request("DELETE", path), stop);
}

Result<WatchEnd> RestClient::watch(const std::string& path, std::string_view resource_version, const OnEvent& on_event,
                                   const std::stop_token& stop) const {
  return impl_->watch(path, resource_version, on_event, stop);
}

std::string RestClient::server() const { return impl_->access().url(); }

}  // namespace usbloop::kube
