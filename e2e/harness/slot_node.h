#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "e2e/harness/loop.h"
#include "e2e/harness/raw_websocket.h"

namespace usbloop::e2e {

/// The two ways in which a session's bytes go on the near node.
enum class Way { handoff, plain };
std::string name_of(Way way);

/// A node with one running VMI that has no guest: the real channel of launcher-sim, as a process of its own, and the
/// case in QEMU's place behind the four slots. Pings go out each second, and a client that is silent for two is gone.
class SlotNode {
 public:
  SlotNode(Loop& loop, Way way, std::string vmi = "demo");

  Process& process() { return *process_; }
  /// Starts it again after it was killed.
  void start();

  /// QEMU's end of the next session on slot `index`; Failure when none comes in time.
  std::unique_ptr<PlainSocket> accept(int index, milliseconds timeout = 20s);
  /// A client's websocket to the next free slot, open.
  RawWebsocket open();
  /// The whole answer to a client's request: a refusal has no websocket.
  std::string ask();

 private:
  Loop* loop_;
  Way way_;
  std::string vmi_;
  std::filesystem::path directory_;
  std::filesystem::path channel_;
  std::array<Fd, 4> listeners_;
  int starts_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace usbloop::e2e
