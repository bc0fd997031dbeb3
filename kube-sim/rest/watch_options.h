#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/request/http_types.h"

namespace usbloop::apiserver {

/// The query parameters of a watch. wire.md section 7.
struct WatchOptions {
  /// Where to begin: behind a version, with an ADDED event for each object (all_there_is), or at the present (now).
  enum class Begin { behind_version, all_there_is, now };
  Begin begin = Begin::all_there_is;
  std::uint64_t version = 0;          ///< with all_there_is: the state must not be older; 0: none given
  bool bookmarks = false;             ///< a BOOKMARK from time to time
  bool initial_end_bookmark = false;  ///< one that says where the initial events end
  std::chrono::seconds timeout{0};    ///< never 0
};

/// 422 or 400 in the words of kube-apiserver for parameters that make no sense.
tl::expected<WatchOptions, kube::Status> read_watch_options(const Request& request);

}  // namespace usbloop::apiserver
