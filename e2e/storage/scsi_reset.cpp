// Resets a disk's device as the kernel does when a command gets no answer, in a guest: scsi_reset DEVICE.
#include <fcntl.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const int disk = ::open(arguments[1], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (disk < 0) {
    std::perror(arguments[1]);
    return 1;
  }
  int what = SG_SCSI_RESET_DEVICE;
  const int done = ::ioctl(disk, SG_SCSI_RESET, &what);
  if (done != 0) std::perror("SG_SCSI_RESET");
  return ::close(disk) == 0 && done == 0 ? 0 : 1;
}
