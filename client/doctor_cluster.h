#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "client/diagnosis.h"
#include "client/messages.h"
#include "common/kube/kubeconfig.h"

// What the parts of doctor that ask the cluster share.
namespace usbloop::client {

/// Whom they ask, and about what.
struct ClusterQuestion {
  const kube::ClusterAccess& access;
  Target target;
  std::chrono::milliseconds patience;  ///< for one answer
};

/// The VMI itself: is it there, does it run, can it take devices. Then whether it has a free slot, unless a step before
/// says that it would be refused.
void examine_vmi(const ClusterQuestion& question, Diagnosis& diagnosis);
void examine_slot(const ClusterQuestion& question, Diagnosis& diagnosis);

/// Runs one coroutine to its end.
template <typename Value>
Value run_to_end(asio::awaitable<Value> coroutine) {
  asio::io_context loop;
  std::optional<Value> value;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(coroutine), [&](std::exception_ptr error, Value result) {
    failure = error;
    value = std::move(result);
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

}  // namespace usbloop::client
