#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "kube-sim/store/page.h"

namespace usbloop::apiserver {

/// What a `continue` parameter stands for: the version that all pages of a list show, and where the next page begins.
/// The server keeps nothing between two pages. In the form of kube-apiserver's own tokens, with one field more.
struct ContinueToken {
  std::int64_t version = 0;           ///< -1: go on in the present state, which may not fit the pages before
  Position next;                      ///< first object of the next page
  std::optional<std::uint64_t> rest;  ///< objects from `next` on; absent when it was not counted
};

/// Base64url of a small JSON object. `all_namespaces`: the list goes over namespaces, so the position names one.
std::string encode(const ContinueToken& token, bool all_namespaces);

/// `namespace_`: that of the list; empty for all namespaces and for cluster-scoped resources, which
/// `all_namespaces` tells apart. Tokens come back from clients: whatever they hold, they only choose a position in the
/// list that the client may read anyway. The error is a text for the client.
tl::expected<ContinueToken, std::string> decode_continue(const std::string& text, bool all_namespaces,
                                                         const std::string& namespace_);

}  // namespace usbloop::apiserver
