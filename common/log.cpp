#include "common/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <mutex>
#include <utility>

#include "common/shown_text.h"

namespace usbloop {
namespace {

/// The message with terminal controls written as \xNN. Messages hold texts of clients (paths, names, headers), which
/// must not begin lines of their own or steer the terminal.
class Payload final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = escaped({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Payload>(); }
};

/// Hands the lines over.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    write_({line.data(), line.size()});
  }
  void flush_() override {}

  const std::function<void(std::string_view)> write_;
};

spdlog::sink_ptr make_sink(std::function<void(std::string_view)> write) {
  if (write) return std::make_shared<LineSink>(std::move(write));
  return std::make_shared<spdlog::sinks::stderr_sink_mt>();
}

}  // namespace

Result<> init_logging(const std::string& program, const std::string& level,
                      std::function<void(std::string_view line)> write) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off && level != "off") {
    return make_error(ErrorKind::invalid, "set the log level", level, "not a level",
                      "Use one of trace, debug, info, warn, error, off.");
  }
  auto logger = std::make_shared<spdlog::logger>(program, make_sink(std::move(write)));
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<Payload>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %n: %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace usbloop
