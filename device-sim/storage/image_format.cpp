#include "device-sim/storage/image_format.h"

#include <array>
#include <string_view>

namespace usbloop::device_sim {
namespace {

struct Magic {
  std::size_t at;
  std::string_view bytes;
  const char* format;
};

using namespace std::string_view_literals;

constexpr std::array<Magic, 9> kMagics = {{{0, "QFI\xfb"sv, "qcow2"},
                                           {0, "QED\0"sv, "QED"},
                                           {0, "KDMV"sv, "VMDK"},
                                           {0, "COWD"sv, "VMDK"},
                                           {0, "# Disk DescriptorFile"sv, "VMDK"},
                                           {0, "vhdxfile"sv, "VHDX"},
                                           {0, "conectix"sv, "VHD"},
                                           {64, "\x7f\x10\xda\xbe"sv, "VDI"},
                                           {0, "Withou"sv, "Parallels"}}};  // two kinds: WithoutFreeSpace is one

}  // namespace

std::string image_format(std::span<const std::byte> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  for (const Magic& magic : kMagics) {
    if (text.size() >= magic.at && text.substr(magic.at).starts_with(magic.bytes)) return magic.format;
  }
  return "";
}

Result<> expect_raw(BlockStore& store, const std::string& path) {
  std::array<std::byte, kBlockSize> head{};
  if (auto read = store.read(0, head); !read) return read;
  const std::string format = image_format(head);
  if (format.empty()) return {};
  return make_error(
      ErrorKind::invalid, "use the image", path, "it is a " + format + " image and no raw one",
      "Make a raw one with: qemu-img convert -O raw " + path + " disk.raw; format=raw takes it as it is.");
}

}  // namespace usbloop::device_sim
