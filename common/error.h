#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace usbloop {

/// What the caller can do about an error. One place per program turns it into an exit code, a Status or a log line.
enum class ErrorKind {
  invalid,      ///< the input is wrong; the same call will fail again
  not_found,    ///< the object does not exist
  conflict,     ///< the object is in a state that forbids it (busy, changed meanwhile)
  denied,       ///< permission or credentials are missing
  unavailable,  ///< the peer cannot be reached or went away; a later try may succeed
  timeout,      ///< no answer in time
  protocol,     ///< the peer broke the protocol
  cancelled,    ///< we were asked to stop
  internal      ///< anything else: a system call failed, a limit of ours was hit
};

/// An error says what failed (operation), on which object, and why (cause). `hint` tells a person what to do.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string operation;  ///< "open", "connect to the API server"
  std::string object;     ///< "/dev/bus/usb/001/003", "VMI default/demo"; may be empty
  std::string cause;      ///< "Permission denied"
  std::string hint = {};  ///< one sentence of advice; may be empty

  /// "cannot OPERATION OBJECT: CAUSE", without the hint.
  [[nodiscard]] std::string message() const {
    std::string text = "cannot " + operation;
    if (!object.empty()) text += " " + object;
    if (!cause.empty()) text += ": " + cause;
    return text;
  }
};

template <typename T = void>
using Result = tl::expected<T, Error>;

/// For `return make_error(...)` in functions that return a Result.
inline tl::unexpected<Error> make_error(ErrorKind kind, std::string operation, std::string object, std::string cause,
                                        std::string hint = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(operation), std::move(object), std::move(cause), std::move(hint)});
}

/// The kind that fits an errno value.
inline ErrorKind kind_of_errno(int number) {
  switch (number) {
    case ENOENT: return ErrorKind::not_found;
    case EACCES:
    case EPERM: return ErrorKind::denied;
    case EBUSY:
    case EEXIST:
    case EADDRINUSE: return ErrorKind::conflict;
    case EINVAL: return ErrorKind::invalid;
    case ETIMEDOUT: return ErrorKind::timeout;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH: return ErrorKind::unavailable;
    default: return ErrorKind::internal;
  }
}

/// An error from a failed system call; call it before errno can change.
inline tl::unexpected<Error> make_errno_error(std::string operation, std::string object, int number = errno) {
  return make_error(kind_of_errno(number), std::move(operation), std::move(object), std::strerror(number));
}

}  // namespace usbloop
