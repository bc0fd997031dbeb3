// Ejects the medium of a disk, as eject(1) does, in a guest whose busybox has no such command: eject DEVICE
#include <fcntl.h>
#include <linux/cdrom.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const int disk = ::open(arguments[1], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (disk < 0 || ::ioctl(disk, CDROMEJECT) != 0) {
    std::perror(arguments[1]);
    return 1;
  }
  return ::close(disk) == 0 ? 0 : 1;
}
