// Stands between the client and a USB device that umockdev makes up, and fails as the kernel does: libusb calls these
// in place of libc's. USBLOOP_USB_FAULT says how: denied, gone, or busy. Loaded with LD_PRELOAD, before umockdev's own.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

bool fault_is(const char* name) {
  const char* fault = std::getenv("USBLOOP_USB_FAULT");
  return fault != nullptr && std::strcmp(fault, name) == 0;
}

using Open = int (*)(const char*, int, ...);
using Ioctl = int (*)(int, unsigned long, ...);

int open_or_fail(const char* function, const char* path, int flags, mode_t mode) {
  static constexpr char kDevices[] = "/dev/bus/usb/";
  if (std::strncmp(path, kDevices, sizeof kDevices - 1) == 0) {
    if (fault_is("denied")) return errno = EACCES, -1;
    if (fault_is("gone")) return errno = ENOENT, -1;  // udev has taken the node away
  }
  return reinterpret_cast<Open>(::dlsym(RTLD_NEXT, function))(path, flags, mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_or_fail("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_or_fail("open64", path, flags, mode);
}

// What code with _FORTIFY_SOURCE calls, as libusb does.
int fortified_open(const char* path, int flags) asm("__open_2");
int fortified_open64(const char* path, int flags) asm("__open64_2");
int fortified_open(const char* path, int flags) { return open_or_fail("open", path, flags, 0); }
int fortified_open64(const char* path, int flags) { return open_or_fail("open64", path, flags, 0); }

int ioctl(int file, unsigned long request, ...) noexcept {
  va_list more;
  va_start(more, request);
  void* argument = va_arg(more, void*);
  va_end(more);
  const bool is_claim = request == USBDEVFS_CLAIMINTERFACE || request == USBDEVFS_DISCONNECT_CLAIM;
  if (fault_is("busy")) {
    if (is_claim) return errno = EBUSY, -1;
    // The claimed interface has no driver to take away, and gets none.
    if (request == USBDEVFS_IOCTL) {
      const auto code = static_cast<const usbdevfs_ioctl*>(argument)->ioctl_code;
      return errno = code == static_cast<int>(USBDEVFS_CONNECT) ? EBUSY : ENODATA, -1;
    }
  }
  return reinterpret_cast<Ioctl>(::dlsym(RTLD_NEXT, "ioctl"))(file, request, argument);
}
}
