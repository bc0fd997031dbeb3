#pragma once

#include <stdexcept>

namespace usbloop::e2e {

/// The harness could not do what the case asked of it: the case fails with this text.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace usbloop::e2e
