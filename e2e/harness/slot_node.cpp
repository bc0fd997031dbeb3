#include "e2e/harness/slot_node.h"

#include "e2e/harness/failure.h"
#include "e2e/harness/fake_node.h"
#include "e2e/harness/vmi.h"

namespace usbloop::e2e {
namespace {

constexpr const char* kNode = "node-slots";

std::unique_ptr<TlsSocket> request(Loop& loop, const std::string& vmi) {
  auto wire = std::make_unique<TlsSocket>(loop.api().host(), loop.api().port(), loop.api().ca_file());
  wire->send(upgrade_head(usbredir_path(vmi), loop.api().token()));
  return wire;
}

}  // namespace

std::string name_of(Way way) { return way == Way::handoff ? "handed over" : "plain"; }

SlotNode::SlotNode(Loop& loop, Way way, std::string vmi)
    : loop_(&loop), way_(way), vmi_(std::move(vmi)), directory_(loop.dir() / "slots"), channel_(loop.dir() / "c.sock") {
  std::filesystem::create_directories(directory_);
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    listeners_[i] = listen_unix(directory_ / ("virt-usbredir-" + std::to_string(i)));
  }
  start();
  register_node(loop, kNode, channel_);
  add_running_vmi(loop, kNode, vmi_);
}

void SlotNode::start() {
  std::vector<std::string> argv = {USBLOOP_SLOT_NODE, channel_, vmi_, directory_};
  if (way_ == Way::plain) argv.emplace_back("--no-handoff");
  process_ = std::make_unique<Process>(
      ProcessSpec{.name = "slot-node." + std::to_string(++starts_), .argv = argv, .log_dir = loop_->dir()});
  process_->wait_out("ready", 20s);
}

std::unique_ptr<PlainSocket> SlotNode::accept(int index, milliseconds timeout) {
  return accept_one(listeners_.at(static_cast<std::size_t>(index)), timeout, "the slot");
}

RawWebsocket SlotNode::open() {
  auto wire = request(*loop_, vmi_);
  const std::string answer = wire->receive_through("\r\n\r\n", 20s);
  if (!answer.starts_with("HTTP/1.1 101 ")) throw Failure("no websocket: " + answer);
  return RawWebsocket(std::move(wire), answer.substr(answer.find("\r\n\r\n") + 4));
}

std::string SlotNode::ask() {
  const auto wire = request(*loop_, vmi_);
  std::string answer = wire->receive_through("\r\n\r\n", 20s);
  if (answer.starts_with("HTTP/1.1 101 ")) return answer;
  while (answer.find("\n}") == std::string::npos && wire->receive(answer, 5s)) {
  }
  return answer;
}

}  // namespace usbloop::e2e
