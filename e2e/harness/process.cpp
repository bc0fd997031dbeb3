#include "e2e/harness/process.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <regex>
#include <set>
#include <utility>

#include "common/small_file.h"
#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

/// The pids that belong to a Process; all other children of ours are orphans. The harness has one thread.
std::set<pid_t>& owned_pids() {
  static std::set<pid_t> pids;
  return pids;
}

/// What starts the child.
usbloop::ProcessSpec plan_of(const ProcessSpec& spec, const std::filesystem::path& out,
                             const std::filesystem::path& err) {
  usbloop::ProcessSpec plan;
  plan.argv = spec.argv;
  plan.environment.assign(spec.env.begin(), spec.env.end());
  plan.working_directory = (spec.cwd.empty() ? spec.log_dir : spec.cwd).string();
  plan.standard_output = Output::to_file(out.string());
  plan.standard_error = Output::to_file(err.string());
  plan.new_session = true;
  plan.ends_with_us = true;
  return plan;
}

}  // namespace

std::string read_file(const std::filesystem::path& file) {
  constexpr std::size_t kLimit = 512 * 1024 * 1024;  // the log of a storm
  return read_small_file(file.string(), kLimit).value_or("");
}

void become_subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

void reap_orphans() {
  // WNOWAIT only looks: an owned child is left for its Process. One owned zombie can hide orphans behind it for a
  // moment; its Process reaps it as soon as somebody asks, and the destructor does in any case.
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    if (owned_pids().contains(info.si_pid)) return;
    ::waitpid(info.si_pid, nullptr, 0);
    info = {};
  }
}

Process::Process(ProcessSpec spec)
    : spec_(std::move(spec)),
      out_(spec_.log_dir / (spec_.name + ".out.log")),
      err_(spec_.log_dir / (spec_.name + ".err.log")) {
  auto child = usbloop::Process::spawn(plan_of(spec_, out_, err_));
  if (!child) throw Failure(child.error().message());
  pid_ = child->pid();
  child_.emplace(std::move(*child));
  owned_pids().insert(pid_);
}

Process::Process(Process&& other) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill_hard();
  spec_ = std::move(other.spec_);
  out_ = std::move(other.out_);
  err_ = std::move(other.err_);
  pid_ = other.pid_;
  child_ = std::move(other.child_);
  return *this;
}

Process::~Process() { kill_hard(); }

bool Process::running() {
  if (!child_->try_wait()) return true;
  owned_pids().erase(pid_);
  return false;
}

void Process::signal(int number) {
  if (running()) static_cast<void>(child_->signal(number));  // an error: it has ended just now
}

void Process::kill_hard() {
  if (child_->pid() < 0) return;  // moved from
  child_->kill();
  owned_pids().erase(pid_);
}

ExitStatus Process::wait_exit(milliseconds timeout) {
  if (!holds_within(timeout, [&] { return !running(); })) {
    throw Failure(name() + " still runs after " + std::to_string(timeout.count()) + " ms; it said:\n" + output());
  }
  return *child_->try_wait();
}

std::string Process::out() const { return read_file(out_); }
std::string Process::err() const { return read_file(err_); }
std::string Process::output() const { return err() + out(); }

std::string Process::wait_out(const std::string& pattern, milliseconds timeout) {
  return wait_text(out_, pattern, timeout);
}

std::string Process::wait_err(const std::string& pattern, milliseconds timeout) {
  return wait_text(err_, pattern, timeout);
}

std::string Process::wait_text(const std::filesystem::path& file, const std::string& pattern, milliseconds timeout) {
  const std::regex expression(pattern);
  std::smatch match;
  std::string text;
  const auto found = [&] {
    text = read_file(file);
    return std::regex_search(text, match, expression);
  };
  bool ended = false;
  const bool settled = holds_within(timeout, [&] {
    ended = !running();  // before looking: what it wrote last is in the file by then
    return found() || ended;
  });
  if (match.empty()) {
    const std::string why =
        ended ? name() + " ended (" + child_->try_wait()->text() + ")" : name() + " did not say so in time";
    throw Failure("waiting for /" + pattern + "/: " + why + "; it said:\n" + output());
  }
  static_cast<void>(settled);
  return match.size() > 1 ? match[1].str() : match[0].str();
}

}  // namespace usbloop::e2e
