#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <memory>
#include <utility>

#include "bench/commands.h"

namespace usbloop::bench {

/// The options that all benchmarks have; each adds its own in a struct that derives from this one.
struct CommonArguments {
  bool quick = false;
  bool smoke = false;
  bool json = false;
  int rounds = 0;  ///< 0: as many as the benchmark makes by itself

  /// Where the tables go: JSON has standard output for itself.
  [[nodiscard]] std::ostream& tables() const;
};

/// What --help says of them.
struct CommonHelp {
  const char* quick;
  const char* smoke;
  const char* rounds;
};
/// `arguments` must outlive the parsing.
void add_common_arguments(CLI::App& command, CommonArguments& arguments, const CommonHelp& help);

/// Runs the benchmark if its subcommand was chosen.
template <typename Arguments>
Command when_chosen(const CLI::App& command, std::shared_ptr<Arguments> arguments, void (*run)(Arguments&)) {
  return [&command, arguments = std::move(arguments), run] {
    if (command.parsed()) run(*arguments);
  };
}

}  // namespace usbloop::bench
