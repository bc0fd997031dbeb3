#include "client/translation/large_buffers.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace usbloop::client {

void keep_large_buffers() {
#ifdef __GLIBC__
  constexpr int kLongestCommand = 4 << 20;
  mallopt(M_MMAP_THRESHOLD, kLongestCommand);
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(kKeptMemory));
#endif
}

}  // namespace usbloop::client
