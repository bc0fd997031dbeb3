#pragma once

#include "common/error.h"

namespace usbloop::net {

/// An error made of libssl's queue of this thread, which is emptied. ErrorKind::protocol unless told otherwise.
tl::unexpected<Error> tls_error(const char* operation, const char* object, ErrorKind kind = ErrorKind::protocol);

}  // namespace usbloop::net
