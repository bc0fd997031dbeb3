#include "launcher-sim/qemu_log.h"

#include <algorithm>
#include <fstream>

namespace usbloop::launcher {

std::string last_line_of_log(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  constexpr std::streamoff kTail = 1024;
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - kTail));
  std::string line;
  std::string last;
  while (std::getline(file, line)) {
    if (!line.empty()) last = line;
  }
  last.resize(std::min<std::size_t>(last.size(), 300));
  for (char& character : last) {
    if (static_cast<unsigned char>(character) < 0x20 || static_cast<unsigned char>(character) > 0x7e) character = '?';
  }
  return last;
}

}  // namespace usbloop::launcher
