#include "common/repeated_error.h"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>

#include "common/log.h"

using namespace usbloop;
using namespace std::chrono_literals;

namespace {

/// The default log, caught for as long as this lives.
class CaughtLog {
 public:
  CaughtLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(text_));
    logger->set_pattern("%v");
    spdlog::set_default_logger(std::move(logger));
  }
  ~CaughtLog() { spdlog::set_default_logger(before_); }
  CaughtLog(const CaughtLog&) = delete;
  CaughtLog& operator=(const CaughtLog&) = delete;

  /// What was logged since the last call.
  std::string take() {
    std::string text = text_.str();
    text_.str({});
    return text;
  }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace

TEST_CASE("an error that repeats is said once, then counted, each minute and at the end") {
  CaughtLog log;
  RepeatedError::Clock::time_point now{};
  {
    RepeatedError errors;
    for (int i = 0; i < 1000; ++i) errors.report("cannot write x: full", now += 1ms);
    errors.report("cannot flush x: full", now);
    CHECK(log.take() == "cannot write x: full\ncannot flush x: full\n");
    errors.report("cannot write x: full", now += 60s);
    CHECK(log.take() == "cannot write x: full (1000 more times)\n");
    errors.report("cannot write x: full", now += 1s);
    CHECK(log.take().empty());
  }
  CHECK(log.take() == "cannot write x: full (1 more time)\n");
}

TEST_CASE("many different errors are not kept without end") {
  CaughtLog log;
  RepeatedError errors;
  for (int i = 0; i < 100; ++i) errors.report(std::to_string(i));
  errors.report("0");  // forgotten since
  const std::string text = log.take();
  CHECK(std::count(text.begin(), text.end(), '\n') == 101);
}
