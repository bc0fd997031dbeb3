#include "client/console.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

using namespace usbloop::client;
using namespace std::chrono_literals;

namespace {

/// A terminal that understands what the console writes: lines, the carriage return, up, and erase to the end.
class Screen {
 public:
  explicit Screen(std::size_t columns = 80) : columns_(columns) {}

  Terminal terminal() {
    return {[this](std::string_view text) { write(text); },
            [this] {
              const std::lock_guard lock(mutex_);
              return Terminal::Size{columns_, 24};
            }};
  }
  /// The lines above the cursor's.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return {lines_.begin(), lines_.end() - 1};
  }
  [[nodiscard]] bool shows(const std::vector<std::string>& expected) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s,
                             [&] { return std::vector<std::string>(lines_.begin(), lines_.end() - 1) == expected; });
  }
  /// As terminals do that become narrower: what is wider goes on in the next line.
  void narrow(std::size_t columns) {
    const std::lock_guard lock(mutex_);
    columns_ = columns;
    if (columns == 0) return;  // somebody else's
    std::vector<std::string> all;
    for (auto line : lines_) {
      for (; line.size() > columns; line.erase(0, columns)) all.push_back(line.substr(0, columns));
      all.push_back(line);
    }
    lines_ = all;
    at_ = lines_.size() - 1;
  }

 private:
  void write(std::string_view text) {
    const std::lock_guard lock(mutex_);
    while (!text.empty()) {
      if (text.starts_with("\x1b[J")) {
        lines_.resize(at_ + 1);
        lines_[at_].clear();
        text.remove_prefix(3);
      } else if (text.starts_with("\x1b[")) {
        const auto end = text.find('A');
        REQUIRE(end != std::string_view::npos);
        const auto up = std::stoul(std::string(text.substr(2, end - 2)));
        REQUIRE(up <= at_);
        at_ -= up;
        text.remove_prefix(end + 1);
      } else {
        if (text.front() == '\n') {
          if (++at_ == lines_.size()) lines_.emplace_back();
        } else if (text.front() != '\r') {
          lines_[at_] += text.front();
        }
        text.remove_prefix(1);
      }
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t columns_;
  std::vector<std::string> lines_{""};
  std::size_t at_ = 0;
};

}  // namespace

TEST_CASE("rows stand below the lines, which do not tear them, and go at the end") {
  Screen screen;
  Console console(screen.terminal());
  console.say("first");
  std::atomic<int> calls = 0;
  console.show_rows([&](std::size_t columns) {
    ++calls;
    return std::vector<std::string>{"row of " + std::to_string(columns), "second row"};
  });
  CHECK(screen.shows({"first", "row of 80", "second row"}));
  console.say("two\nlines \x1b[2J");
  console.write_lines("a line of the log\n");
  CHECK(screen.lines() ==
        std::vector<std::string>{"first", "two", "lines [2J", "a line of the log", "row of 80", "second row"});
  console.hide_rows();
  CHECK(screen.lines() == std::vector<std::string>{"first", "two", "lines [2J", "a line of the log"});
  const int so_far = calls;
  console.say("last");
  CHECK(screen.lines().back() == "last");
  CHECK(calls == so_far);
}

TEST_CASE("rows are drawn anew while time passes") {
  Screen screen;
  Console console(screen.terminal());
  std::atomic<int> number = 0;
  console.show_rows([&](std::size_t) { return std::vector<std::string>{std::to_string(++number)}; });
  CHECK(screen.shows({"2"}));
  console.hide_rows();
  CHECK(screen.lines().empty());
}

TEST_CASE("a terminal that becomes narrower keeps no old row") {
  Screen screen;
  Console console(screen.terminal());
  console.say("kept");
  console.show_rows([](std::size_t columns) { return std::vector<std::string>{std::string(columns - 1, 'x')}; });
  CHECK(screen.shows({"kept", std::string(79, 'x')}));
  screen.narrow(30);
  console.say("also");
  console.hide_rows();
  CHECK(screen.lines() == std::vector<std::string>{"kept", "also"});
}

TEST_CASE("a terminal that belongs to a shell meanwhile is left alone: nothing of the shell's is erased") {
  Screen screen;
  Console console(screen.terminal());
  console.show_rows([](std::size_t) { return std::vector<std::string>{"row"}; });
  CHECK(screen.shows({"row"}));
  screen.narrow(0);
  console.say("line");
  console.hide_rows();
  CHECK(screen.lines() == std::vector<std::string>{"row", "line"});
}

TEST_CASE("there are never more rows than the terminal has lines") {
  Screen screen;
  Console console(screen.terminal());
  console.show_rows([](std::size_t) { return std::vector<std::string>(50, "row"); });
  CHECK(screen.shows(std::vector<std::string>(23, "row")));
}

TEST_CASE("a terminal whose width nobody knows has no rows") {
  Screen screen(0);
  Console console(screen.terminal());
  console.show_rows([](std::size_t) { return std::vector<std::string>{"row"}; });
  console.say("line");
  CHECK(screen.lines() == std::vector<std::string>{"line"});
}
