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
constexpr int kNothingRan = 3;

bool only_lists(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view argument) {
    return argument.find("list-") != std::string_view::npos || argument.find("help") != std::string_view::npos;
  });
}

std::size_t& cases_that_ran() {
  static std::size_t count = 0;
  return count;
}

/// Counts the cases, so that a filter that matches none cannot pass for success.
struct CaseCounter : doctest::IReporter {
  explicit CaseCounter(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override { ++cases_that_ran(); }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
DOCTEST_REGISTER_LISTENER("usbloop_cases", 1, CaseCounter);

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
  const int result = doctest::Context(argc, argv).run();
  if (result == 0 && usbloop::e2e::case_was_skipped()) return kSkipped;
  if (cases_that_ran() > 0 || only_lists(argc, argv)) return result;
  std::cerr << "no case matches the filter" << std::endl;
  return kNothingRan;
}
