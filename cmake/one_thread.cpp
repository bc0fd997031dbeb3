// Linked into the tests that say ONE_THREAD (Tests.cmake): stands in front of the C library's function.
#include <pthread.h>

#include <cstdio>
#include <cstdlib>

extern "C" int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) noexcept {
  std::fputs("this test says ONE_THREAD and starts a thread: take that word from its CMakeLists.txt\n", stderr);
  std::abort();
}
