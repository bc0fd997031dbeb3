#include "e2e/harness/case_dir.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <vector>

#include "e2e/harness/failure.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTailBytes = 4000;

bool& failed_flag() {
  static bool failed = false;
  return failed;
}

/// Tells CaseDir whether to keep the directory. Each case starts with a clean sheet.
struct FailureListener : doctest::IReporter {
  explicit FailureListener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override { failed_flag() = false; }
  void test_case_reenter(const doctest::TestCaseData&) override { failed_flag() = false; }
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override { failed_flag() = true; }
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData& data) override {
    if (data.m_failed) failed_flag() = true;
  }
  void log_message(const doctest::MessageData& data) override {
    if (data.m_severity != doctest::assertType::is_warn) failed_flag() = true;
  }
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
DOCTEST_REGISTER_LISTENER("usbloop_failures", 1, FailureListener);

bool is_log(const fs::path& file) {
  const auto name = file.filename().string();
  return name.ends_with(".log") || name == "vmi.json";
}

}  // namespace

bool case_has_failed() { return failed_flag(); }

CaseDir::CaseDir() : exceptions_at_start_(std::uncaught_exceptions()) {
  std::string pattern = (fs::canonical(fs::temp_directory_path()) / "usbloop-e2e-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw Failure("cannot make a directory like " + pattern);
  path_ = pattern;
}

fs::path CaseDir::subdir(const std::string& name) const {
  const fs::path dir = path_ / name;
  fs::create_directories(dir);
  return dir;
}

void kill_and_reap(const fs::path& dir) {
  holds_within(10s, [&] {
    const auto left = processes_of(dir);
    for (const auto& process : left) ::kill(process.pid, SIGKILL);
    return left.empty();
  });
}

void CaseDir::expect_nothing_left() {
  // The programs were told to stop and have ended; what they started must be gone with them.
  std::vector<RunningProcess> left;
  holds_within(2s, [&] {
    left = processes_of(path_);
    return left.empty();
  });
  for (const auto& process : left) {
    const std::string text = "left running: pid " + std::to_string(process.pid) + ": " + process.command;
    FAIL_CHECK(text);
  }
  if (!left.empty()) kill_and_reap(path_);
}

void CaseDir::print_logs() const {
  std::vector<fs::path> logs;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(path_, ignored)) {
    if (entry.is_regular_file(ignored) && is_log(entry.path())) logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  std::cerr << "\nThe case failed; its files are kept in " << path_.string() << "\n";
  for (const auto& log : logs) {
    const std::string text = read_file(log);
    if (text.empty()) continue;
    std::cerr << "\n---- " << fs::relative(log, path_).string() << "\n"
              << (text.size() > kTailBytes ? "[...]" + text.substr(text.size() - kTailBytes) : text);
    if (text.back() != '\n') std::cerr << "\n";
  }
}

CaseDir::~CaseDir() {
  const bool unwinding = std::uncaught_exceptions() > exceptions_at_start_;
  expect_nothing_left();
  if (unwinding || case_has_failed()) {
    print_logs();
    return;
  }
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace usbloop::e2e
