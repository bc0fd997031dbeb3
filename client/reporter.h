#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client/console.h"
#include "client/event.h"
#include "client/status_rows.h"
#include "common/error.h"

namespace usbloop::client {

/// Tells what happens to the devices of a command in the form that was asked for: lines for a person, with rows below
/// them at a terminal, or events for a program. Thread-safe.
class Reporter {
 public:
  enum class Form { lines, rows, json };

  /// `events` writes one line of JSON, without its newline. `console` outlives the reporter.
  Reporter(Console& console, Form form, std::function<void(const std::string& line)> events)
      : console_(console), form_(form), events_(std::move(events)) {}

  /// Begins with so many devices. `counters` tells what they have carried; it is called until end().
  void begin(std::size_t devices, std::function<std::vector<Counters>()> counters);
  void tell(std::size_t index, const Event& event);
  /// What went wrong before a device was redirected.
  void fail(const Error& error, int exit_status);
  /// Takes the rows away.
  void end();

 private:
  Console& console_;
  const Form form_;
  const std::function<void(const std::string&)> events_;
  std::mutex events_mutex_;
  bool several_ = false;
  std::unique_ptr<StatusRows> rows_;
};

/// Writes lines to standard output. A reader that has gone is no reason to end: the lines are dropped then.
void write_event(const std::string& line);

}  // namespace usbloop::client
