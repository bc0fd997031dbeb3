#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <string_view>

#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

namespace {

constexpr int kSkipped = 77;

bool only_lists(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view argument) {
    return argument.find("list-") != std::string_view::npos || argument.find("help") != std::string_view::npos;
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  usbloop::e2e::become_subreaper();
  if (USBLOOP_NEEDS_GUEST && !only_lists(argc, argv)) {
    if (const auto missing = usbloop::e2e::missing_for_guest()) {
      std::cout << "skipped: " << *missing << std::endl;
      return kSkipped;
    }
  }
  return doctest::Context(argc, argv).run();
}
