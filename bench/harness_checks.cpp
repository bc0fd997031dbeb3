// The harness of the end-to-end tests reports faults by doctest's checks. No test runs here, so a failed check is
// printed.
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
