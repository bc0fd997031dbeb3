#pragma once

#include <string>
#include <vector>

#include "common/error.h"

// What `doctor` has found. Pure functions.
namespace usbloop::client {

/// One step on the way of a redirection.
struct Check {
  enum class Outcome { ok, failed, not_checked };
  std::string name;  ///< one word, for programs: "device", "rights"
  Outcome outcome = Outcome::not_checked;
  std::string detail = {};  ///< what was found, or why it was not looked at
  std::string cure = {};    ///< what to do about it; may be empty
};

class Diagnosis {
 public:
  void ok(std::string name, std::string detail);
  void failed(std::string name, std::string detail, std::string cure);
  /// Without "cannot" and the operation, which the step's name says.
  void failed(std::string name, const Error& error);
  void not_checked(std::string name, std::string why);

  [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }
  /// No step has failed.
  [[nodiscard]] bool is_healthy() const;
  /// The step was looked at and is as it should be.
  [[nodiscard]] bool is_ok(const std::string& name) const;
  /// The step was looked at and stands in the way.
  [[nodiscard]] bool has_failed(const std::string& name) const;

 private:
  std::vector<Check> checks_;
};

/// A line for each step, its cure below it, and a last line that sums up.
std::string render_lines(const Diagnosis& diagnosis);

/// {"checks": [{"name", "status", "detail", "cure"}], "healthy"}; docs/client.md describes it.
std::string render_json(const Diagnosis& diagnosis);

}  // namespace usbloop::client
