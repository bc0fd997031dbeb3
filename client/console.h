#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace usbloop::client {

/// The terminal that a console writes to.
struct Terminal {
  /// Writes the text in one piece.
  std::function<void(std::string_view text)> write;
  /// Columns and lines at this moment; 0 when nobody knows, and when the terminal belongs to another program: a shell
  /// from which this one runs in the background.
  struct Size {
    std::size_t columns = 0;
    std::size_t lines = 0;
  };
  std::function<Size()> size;
};

/// Standard error.
Terminal error_terminal();

/// Whether standard output and standard error are terminals that can be drawn on.
bool can_draw();

/// Where all lines of the program go that are for a person. Below them it may keep rows that are drawn anew while time
/// passes; a line that comes takes their place, and they are drawn again below it. Thread-safe.
class Console {
 public:
  explicit Console(Terminal terminal = error_terminal()) : terminal_(std::move(terminal)) {}
  ~Console() { hide_rows(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Writes a text of lines; no foreign part of it steers the terminal.
  void say(const std::string& lines);
  /// Writes finished lines, each with its newline: those of the log.
  void write_lines(std::string_view text);

  /// Draws rows from now on, twice a second. `rows` makes them for a width of so many columns and is called from a
  /// thread of the console's; it must not write to the console.
  void show_rows(std::function<std::vector<std::string>(std::size_t columns)> rows);
  /// Takes the rows away; no call of `rows` runs when it returns.
  void hide_rows();

 private:
  void draw_while(const std::stop_token& stop);
  /// What takes the drawn rows off the screen, if they are still where they were drawn. Under the mutex.
  std::string erased();
  std::string drawn();

  const Terminal terminal_;
  std::mutex mutex_;
  std::condition_variable_any tick_;
  std::function<std::vector<std::string>(std::size_t)> rows_;
  std::vector<std::size_t> drawn_widths_;  ///< of the rows on the screen
  std::vector<std::string> next_;          ///< the rows to draw
  std::chrono::steady_clock::time_point looked_at_;
  std::jthread drawer_;
};

}  // namespace usbloop::client
