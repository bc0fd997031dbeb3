// Ejects the medium of a disk, in a guest whose busybox has no such command: eject [-u] DEVICE. With -u it unlocks it
// first, as eject(1) does: Linux locks a medium as long as somebody has the disk open, and so does this program itself.
#include <fcntl.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

namespace {

/// Sends a command without data; false when it fails, with its sense data printed.
bool send(int disk, std::array<unsigned char, 6> command) {
  std::array<unsigned char, 32> sense{};
  sg_io_hdr_t request{};
  request.interface_id = 'S';
  request.cmd_len = command.size();
  request.cmdp = command.data();
  request.mx_sb_len = sense.size();
  request.sbp = sense.data();
  request.dxfer_direction = SG_DXFER_NONE;
  request.timeout = 10'000;  // ms
  if (::ioctl(disk, SG_IO, &request) != 0) {
    std::perror("SG_IO");
    return false;
  }
  if (request.status == 0 && request.host_status == 0) return true;
  std::printf("sense %02x/%02x/%02x\n", sense[2] & 0x0fU, sense[12], sense[13]);
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  const bool unlock = count == 3 && std::strcmp(arguments[1], "-u") == 0;
  if (count != 2 && !unlock) return 2;
  const int disk = ::open(arguments[count - 1], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (disk < 0) {
    std::perror(arguments[count - 1]);
    return 1;
  }
  constexpr std::array<unsigned char, 6> kAllowRemoval = {0x1e}, kEject = {0x1b, 0, 0, 0, 2, 0};
  const bool ejected = (!unlock || send(disk, kAllowRemoval)) && send(disk, kEject);
  return ::close(disk) == 0 && ejected ? 0 : 1;
}
