#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kube-sim/store/object.h"

// Lists in pages, all of which show one version of the store.
namespace usbloop::apiserver {

/// Namespace and name: where an object stands in the list of its resource.
using Position = std::pair<std::string, std::string>;

struct PageRequest {
  std::string resource;
  std::string namespace_;                           ///< empty: all namespaces
  std::uint64_t version = 0;                        ///< whose state to show; 0: the present one
  Position from;                                    ///< the page begins with the first object that is not before it
  std::size_t limit = 0;                            ///< of matching objects; 0: none
  bool count_rest = false;                          ///< fill in Page::rest, at the price of a walk over what is left
  std::function<bool(const Object&)> matches = {};  ///< empty: all; called while readers and writers wait: quick
};

struct Page {
  enum class Outcome {
    fine,
    expired,   ///< the history no longer reaches back to the version
    too_large  ///< the version is still to come
  };
  Outcome outcome = Outcome::fine;
  std::vector<ObjectPtr> objects;
  std::uint64_t version = 0;     ///< the version shown; for the other outcomes: the present one
  std::optional<Position> next;  ///< of the object behind the page; nothing when this is the last page
  std::uint64_t rest = 0;        ///< objects behind the page, whether they match or not
};

}  // namespace usbloop::apiserver
