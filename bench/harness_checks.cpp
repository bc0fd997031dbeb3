// The harness of the end-to-end tests tells what it finds wrong by doctest's checks. Here no test runs: a failed check
// is printed.
#define DOCTEST_CONFIG_IMPLEMENT
#include "bench/harness_checks.h"

#include <doctest/doctest.h>

#include <iostream>

namespace usbloop::bench {

void take_checks() {
  static doctest::Context context;
  context.setAsDefaultForAssertsOutOfTestCases();
  context.setAssertHandler([](const doctest::AssertData& check) {
    std::cerr << "bench: check failed: " << check.m_expr << " (" << check.m_file << ":" << check.m_line << ")"
              << std::endl;
  });
}

}  // namespace usbloop::bench
