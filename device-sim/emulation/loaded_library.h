#pragma once

#include <string>

#include "common/error.h"

namespace usbloop::device_sim {

/// A shared library that is loaded when it is needed: programs start without it. It is never unloaded. Thread-safe.
class LoadedLibrary {
 public:
  /// `name`: its soname, a literal.
  explicit LoadedLibrary(const char* name);

  /// Sets `function` to the library's, or to null.
  template <typename Function>
  LoadedLibrary& find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(look_up(name));
    return *this;
  }

  /// Whether it was there with all that was looked for. Errors: unavailable, with `hint`, which says what to install.
  [[nodiscard]] Result<> outcome(std::string hint) const;

 private:
  void* look_up(const char* name);

  const char* name_;
  void* library_;
  std::string failure_;  ///< empty: none
};

}  // namespace usbloop::device_sim
