#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "kube-sim/objects/answer.h"
#include "kube-sim/rest/request_options.h"
#include "kube-sim/rest/selectors.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

struct ListedPage {
  std::vector<ObjectPtr> objects;
  ListMeta meta;
};

/// One page of a list. All pages of a list show the version of the first one, made from the present state and the
/// hub's history; nothing is kept between the pages. When the history no longer reaches back: 410 Expired, with a token
/// in its metadata that goes on in the present state.
tl::expected<ListedPage, kube::Status> list_page(const Store& store, const Resource& resource,
                                                 const std::string& namespace_, const ListOptions& options,
                                                 const Selection& selection);

}  // namespace usbloop::apiserver
