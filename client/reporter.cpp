#include "client/reporter.h"

#include <chrono>
#include <iostream>
#include <utility>

namespace usbloop::client {

void Reporter::begin(std::size_t devices, std::function<std::vector<Counters>()> counters) {
  several_ = devices > 1;
  if (form_ != Form::rows) return;
  rows_ = std::make_unique<StatusRows>(devices);
  console_.show_rows([this, counters = std::move(counters)](std::size_t columns) {
    return rows_->rows(counters(), std::chrono::steady_clock::now(), columns);
  });
}

void Reporter::tell(std::size_t index, const Event& event) {
  if (form_ == Form::json) {
    const std::lock_guard lock(events_mutex_);
    events_(json_line(event));
    return;
  }
  if (rows_) rows_->note(index, event);
  if (const auto lines = plain_lines(event, several_); !lines.empty()) console_.say(lines);
}

void Reporter::fail(const Error& error, int exit_status) {
  if (form_ == Form::json) {
    const std::lock_guard lock(events_mutex_);
    events_(json_error_line(error, exit_status, std::chrono::system_clock::now()));
  } else {
    console_.say(text_of(error));
  }
}

void Reporter::end() {
  if (rows_) console_.hide_rows();
}

void write_event(const std::string& line) {
  std::cout << line + "\n" << std::flush;
  std::cout.clear();
}

}  // namespace usbloop::client
