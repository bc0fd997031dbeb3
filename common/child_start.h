#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/error.h"
#include "common/process.h"

// The child's side of a start: what happens between fork and exec.
namespace usbloop {

/// What the child needs between fork and exec, where it may not allocate. The parent makes it.
struct ChildPlan {
  ChildPlan() = default;
  ChildPlan(ChildPlan&&) = default;  // no copies: a copy would point into this one
  ChildPlan& operator=(ChildPlan&&) = default;

  std::string program;
  std::vector<char*> argv;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;
  const char* working_directory = nullptr;
  const char* pid_file = nullptr;
  bool new_session = false;
  bool new_group = false;
  pid_t ends_with = 0;  ///< the parent, or 0
  int input = -1;       ///< -1: inherit
  int output = -1;      ///< -1: inherit
  int error = -1;
  int report = -1;  ///< an errno goes here when exec is not reached
};

/// The plan without its descriptors. It points into `spec`. Errors: not_found (no such program on PATH).
Result<ChildPlan> plan_child(const ProcessSpec& spec);

/// What the child does after the fork. Does not allocate.
[[noreturn]] void run_child(const ChildPlan& plan);

/// The errno that the child reported, or 0 when it became the program.
int child_report(int fd);

}  // namespace usbloop
