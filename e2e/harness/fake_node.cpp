#include "e2e/harness/fake_node.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "common/ascii_text.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/vmi.h"

namespace usbloop::e2e {
namespace {

using nlohmann::json;

std::string now_rfc3339() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts));
  return text;
}

void expect_status(const ApiAnswer& answer, int status, const std::string& what) {
  if (answer.status != status) throw Failure(what + ": " + std::to_string(answer.status) + ": " + answer.body);
}

/// What a kubelet reports.
void report_pod_running(Loop& loop, const std::string& path) {
  const json ready = {{"type", "Ready"}, {"status", "True"}};
  const json status = {{"status", {{"phase", "Running"}, {"conditions", json::array({ready})}}}};
  expect_status(loop.api().merge_patch(path + "/status", status), 200, "report " + path + " running");
}

}  // namespace

Fd listen_unix(const std::filesystem::path& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) throw Failure("path too long: " + path.string());
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd.get(), 16) != 0) {
    throw Failure("listen on " + path.string() + ": " + std::strerror(errno));
  }
  return fd;
}

std::unique_ptr<PlainSocket> accept_one(const Fd& listener, milliseconds timeout, const std::string& what) {
  pollfd entry{.fd = listener.get(), .events = POLLIN, .revents = 0};
  if (::poll(&entry, 1, static_cast<int>(timeout.count())) != 1) throw Failure("nobody came to " + what);
  return std::make_unique<PlainSocket>(Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

void register_node(Loop& loop, const std::string& name, const std::filesystem::path& channel) {
  const json node = {{"apiVersion", "v1"},
                     {"kind", "Node"},
                     {"metadata",
                      {{"name", name},
                       {"labels", {{"kubernetes.io/hostname", name}, {"kubevirt.io/schedulable", "true"}}},
                       {"annotations", {{"usbloop.dev/channel", "unix:" + channel.string()}}}}}};
  const json ready = {{"type", "Ready"}, {"status", "True"}, {"lastHeartbeatTime", now_rfc3339()}};
  const json status = {{"status", {{"conditions", json::array({ready})}}}};
  expect_status(loop.api().create("/api/v1/nodes", node), 201, "create the node " + name);
  expect_status(loop.api().merge_patch("/api/v1/nodes/" + name + "/status", status), 200, "make the node Ready");
  const json container = {{"name", "virt-handler"}, {"image", "none"}};
  const json handler = {{"metadata", {{"name", "virt-handler-" + name}, {"labels", {{"kubevirt.io", "virt-handler"}}}}},
                        {"spec", {{"nodeName", name}, {"containers", json::array({container})}}}};
  const std::string pods = "/api/v1/namespaces/kubevirt/pods";
  expect_status(loop.api().create(pods, handler), 201, "create the virt-handler of " + name);
  report_pod_running(loop, pods + "/virt-handler-" + name);
}

void add_running_vmi(Loop& loop, const std::string& node, const std::string& name) {
  const Vmi vmi(loop, name, {.node_selector = {{"kubernetes.io/hostname", node}}});
  const std::string pods = "/api/v1/namespaces/default/pods";
  std::string pod;
  loop.api().watch(pods + "?fieldSelector=spec.nodeName%3D" + node + "&resourceVersion=0", 10s,
                   "the pod of VMI " + name + " to be placed on " + node, [&](const json& event) {
                     const json& metadata = event.at("object").at("metadata");
                     pod = metadata.at("name").get<std::string>();
                     return metadata.at("labels").at("kubevirt.io/created-by") == vmi.uid();
                   });
  report_pod_running(loop, pods + "/" + pod);
  loop.api().watch(vmis_path() + "?fieldSelector=metadata.name%3D" + name + "&resourceVersion=0", 10s,
                   "VMI " + name + " to be placed on " + node, [&](const json& event) {
                     return event.at("object").value("/status/nodeName"_json_pointer, "") == node;
                   });
  const json running = {{"status", {{"phase", "Running"}, {"nodeName", node}}}};
  const Api as_node(loop.node_kubeconfig());
  expect_status(as_node.merge_patch(vmis_path() + "/" + name, running), 200, "set the phase of " + name);
}

FakeNode::FakeNode(Loop& loop, std::string name)
    : loop_(&loop), name_(std::move(name)), socket_path_(loop.dir() / (name_ + ".sock")) {
  listener_ = listen_unix(socket_path_);
  register_node(loop, name_, socket_path_);
}

FakeNode::~FakeNode() = default;

void FakeNode::add_running_vmi(const std::string& name) { e2e::add_running_vmi(*loop_, name_, name); }

FakeNode::Request FakeNode::accept(milliseconds timeout) {
  Request request;
  request.socket = accept_one(listener_, timeout, "the fake node");
  request.head = request.socket->receive_through("\r\n\r\n", 10s);
  return request;
}

std::string FakeNode::Request::header(const std::string& name) const {
  const std::string wanted = "\r\n" + lower_case(name) + ":";
  const std::size_t at = lower_case(head).find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t start = head.find_first_not_of(' ', at + wanted.size());
  return head.substr(start, head.find("\r\n", start) - start);
}

std::string switching_protocols(const FakeNode::Request& request) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         websocket_accept(request.header("Sec-WebSocket-Key")) +
         "\r\nSec-WebSocket-Protocol: plain.kubevirt.io\r\n\r\n";
}

RawWebsocket FakeNode::accept_websocket(milliseconds timeout) {
  Request request = accept(timeout);
  request.socket->send(switching_protocols(request));
  return RawWebsocket(std::move(request.socket));
}

}  // namespace usbloop::e2e
