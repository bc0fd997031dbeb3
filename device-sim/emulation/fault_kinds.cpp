#include "device-sim/emulation/descriptor_lies.h"
#include "device-sim/emulation/fault.h"

namespace usbloop::device_sim {
namespace {

std::string usage_of(const FaultInfo& info) {
  std::string text = "  " + std::string(info.name);
  for (const std::string& name : info.parameters) text += "[:" + name + "=]";
  return text + "\n      " + info.help + "\n";
}

}  // namespace

const std::vector<FaultInfo>& fault_kinds() {
  static const std::vector<std::string> kTransfers = {"endpoint", "at", "times"};
  static const std::vector<std::string> kAnswers = {"at", "times"};
  static const std::vector<FaultInfo> kKinds = {
      {FaultKind::stall, "stall", kTransfers, "The transfer stalls; its endpoint halts until the guest clears that."},
      {FaultKind::error, "error", kTransfers, "The transfer fails as by a bad cable."},
      {FaultKind::timeout, "timeout", kTransfers, "The transfer gets no answer until the guest gives it up."},
      {FaultKind::short_packet,
       "short",
       {"endpoint", "at", "times", "bytes"},
       "Only bytes= (0) of the data that the guest reads come."},
      {FaultKind::babble, "babble", kTransfers, "The device sends more than the guest has asked for."},
      {FaultKind::silent, "silent", {"at"}, "No transfer gets an answer any more, not even control transfers."},
      {FaultKind::slow,
       "slow",
       {"endpoint", "latency", "rate"},
       "Each transfer takes latency= ms more, and its data rate= bytes a second (also 64K, 1M)."},
      {FaultKind::unplug, "unplug", {"endpoint", "at"}, "The device is pulled out in place of the transfer."},
      {FaultKind::reset_storm,
       "reset-storm",
       {"at", "resets"},
       "Every transfer fails, until the guest has reset the device resets= times (3)."},
      {FaultKind::descriptors, "descriptors", {"lie"}, "The descriptors have the error lie=; see below."},
      {FaultKind::wrong_speed, "wrong-speed", {"speed"}, "The device comes at speed=, its descriptors are of another."},
      {FaultKind::residue, "residue", kAnswers, "Storage: the status says that none of the data was moved."},
      {FaultKind::tag, "tag", kAnswers, "Storage: the status has the tag of another command."},
      {FaultKind::phase, "phase", kAnswers, "Storage by Bulk-Only: the status is a phase error."},
      {FaultKind::medium_error,
       "medium-error",
       {"block", "blocks"},
       "Storage: blocks= (1) of 512 bytes from block= on can be neither read nor written."},
      {FaultKind::unit_attention,
       "unit-attention",
       {"at", "times", "code"},
       "Storage: a command is answered with unit attention, code= (0x2900: power on or reset)."}};
  return kKinds;
}

std::string fault_help() {
  std::string text =
      "Faults, each NAME[:PARAMETER=VALUE]... (fault=stall:endpoint=0x81:at=5). at= is the number of the first "
      "transfer,\n"
      "answer or command that it hits (1), times= how many it hits (1), endpoint= an address, or 0 for control "
      "transfers;\n"
      "without it all endpoints but 0 count.\n";
  for (const FaultInfo& info : fault_kinds()) text += usage_of(info);
  text += "Lies of descriptors:\n";
  for (const DescriptorLie& lie : descriptor_lies()) {
    std::string name = lie.name;
    name.resize(20, ' ');
    text += "  " + name + lie.help + "\n";
  }
  return text;
}

}  // namespace usbloop::device_sim
