#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <sstream>
#include <string>

#include "usbredir/capture/blocks.h"
#include "usbredir/capture/fuzz/targets.h"
#include "usbredir/capture/reader.h"

namespace usbloop::capture::fuzz {
namespace {

void append_bytes(std::string& text, const std::vector<std::byte>& bytes) {
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

bool same_packet(const IsoPacket& one, const IsoPacket& other) {
  return one.status == other.status && one.offset == other.offset && one.length == other.length;
}

bool same(const Urb& one, const Urb& other) {
  return one.id == other.id && one.event == other.event && one.type == other.type && one.endpoint == other.endpoint &&
         one.device == other.device && one.bus == other.bus && one.setup == other.setup && one.time == other.time &&
         one.status == other.status && one.length == other.length && one.interval == other.interval &&
         one.start_frame == other.start_frame && one.flags == other.flags && one.data == other.data &&
         one.comment == other.comment &&
         std::equal(one.packets.begin(), one.packets.end(), other.packets.begin(), other.packets.end(), same_packet);
}

}  // namespace

// What is read can be written, and is the same when it is read again.
void reader(std::span<const std::byte> input) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(input.data()), input.size()));
  CaptureReader first(in);
  while (true) {
    const auto record = first.next();
    if (!record || !*record) return;
    if ((*record)->interface >= first.interfaces().size()) std::abort();
    std::string file;
    append_bytes(file, section_block("fuzz"));
    append_bytes(file, interface_block({}));
    const auto frame = packet_frame(0, (*record)->urb, (*record)->lost);
    append_bytes(file, frame.before);
    append_bytes(file, (*record)->urb.data);
    append_bytes(file, frame.after);
    std::istringstream copy(file);
    CaptureReader second(copy);
    const auto again = second.next();
    if (!again || !*again || !same((*record)->urb, (*again)->urb)) std::abort();
  }
}

}  // namespace usbloop::capture::fuzz
