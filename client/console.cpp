#include "client/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "client/status_rows.h"
#include "common/shown_text.h"

namespace usbloop::client {

namespace {

constexpr std::chrono::milliseconds kBetweenDrawings{500};
/// Who has not been drawing for so long was stopped (Ctrl-Z), and a shell has written since.
constexpr std::chrono::seconds kStopped{5};

void write_error(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads any more
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

Terminal::Size error_size() {
  const pid_t foreground = ::tcgetpgrp(STDERR_FILENO);
  if (foreground >= 0 && foreground != ::getpgrp()) return {};
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace

Terminal error_terminal() { return {write_error, error_size}; }

bool can_draw() {
  const char* type = std::getenv("TERM");
  const bool is_able = type != nullptr && *type != '\0' && std::string_view(type) != "dumb";
  return is_able && ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

void Console::say(const std::string& lines) { write_lines(shown_lines(lines) + "\n"); }

void Console::write_lines(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string all = erased();
  all += text;
  all += drawn();
  terminal_.write(all);
}

void Console::show_rows(std::function<std::vector<std::string>(std::size_t)> rows) {
  const std::lock_guard lock(mutex_);
  rows_ = std::move(rows);
  drawer_ = std::jthread([this](const std::stop_token& stop) { draw_while(stop); });
}

void Console::hide_rows() {
  std::jthread drawer;
  {
    const std::lock_guard lock(mutex_);
    drawer = std::move(drawer_);
  }
  drawer.request_stop();
  if (drawer.joinable()) drawer.join();
  const std::lock_guard lock(mutex_);
  next_.clear();
  if (const auto text = erased(); !text.empty()) terminal_.write(text);
}

void Console::draw_while(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto size = terminal_.size();
    auto rows = size.columns > 0 ? rows_(size.columns) : std::vector<std::string>();
    // All lines of the terminal but one are for rows at most, so that the rows never scroll away.
    if (size.lines > 0 && rows.size() >= size.lines) rows.resize(size.lines - 1);
    std::unique_lock lock(mutex_);
    if (stop.stop_requested()) return;
    next_ = std::move(rows);
    std::string text = erased();
    text += drawn();
    if (!text.empty()) terminal_.write(text);
    tick_.wait_for(lock, stop, kBetweenDrawings, [] { return false; });
  }
}

std::string Console::erased() {
  const auto before = std::exchange(looked_at_, std::chrono::steady_clock::now());
  const auto columns = drawn_widths_.empty() ? 0 : terminal_.size().columns;
  if (columns == 0 || looked_at_ - before >= kStopped) {
    drawn_widths_.clear();
    return {};
  }
  // A terminal that has become narrower since shows a row in several lines.
  std::size_t lines = 0;
  for (const auto width : drawn_widths_) lines += width == 0 ? 1 : (width + columns - 1) / columns;
  drawn_widths_.clear();
  return "\r\x1b[" + std::to_string(lines) + "A\x1b[J";
}

std::string Console::drawn() {
  std::string text;
  const auto columns = next_.empty() ? 0 : terminal_.size().columns;  // it may have changed since the rows were made
  if (columns == 0) return text;
  for (const auto& row : next_) {
    const std::string shown = fitted(row, columns - 1);
    text += shown + "\n";
    drawn_widths_.push_back(columns_of(shown));
  }
  return text;
}

}  // namespace usbloop::client
