#pragma once

#include <optional>
#include <utility>

#include "common/error.h"

namespace usbloop::kube {

/// Takes the values of several fields and keeps the first error among them.
class FirstError {
 public:
  template <typename T>
  T take(Result<T> result) {
    if (result) return std::move(*result);
    if (!error_) error_ = std::move(result.error());
    return T();
  }
  [[nodiscard]] Result<> result() const { return error_ ? Result<>(tl::unexpected(*error_)) : Result<>(); }

 private:
  std::optional<Error> error_;
};

}  // namespace usbloop::kube
