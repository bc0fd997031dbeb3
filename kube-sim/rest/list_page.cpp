#include "kube-sim/rest/list_page.h"

#include <algorithm>

#include "kube-sim/rest/continue_token.h"

namespace usbloop::apiserver {
namespace {

kube::Status list_expired() { return kube::expired("The resourceVersion for the provided list is too old."); }

kube::Status continue_expired(const ContinueToken& token, bool all_namespaces) {
  kube::Status status = kube::expired(
      "The provided continue parameter is too old to display a consistent list result. You can start a new list "
      "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
      "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
      "modified, or deleted between the time the first chunk was returned and now may show up in the list.");
  status.continue_token = encode({-1, token.next, {}}, all_namespaces);
  return status;
}

/// How many objects the list has behind this page. Counted once: later pages of the same version know from the token.
std::uint64_t rest_behind(const Page& page, const std::optional<ContinueToken>& token) {
  if (!token || !token->rest) return page.rest;
  const std::uint64_t before = *token->rest;
  return before > page.objects.size() ? before - page.objects.size() : 1;
}

}  // namespace

tl::expected<ListedPage, kube::Status> list_page(const Store& store, const Resource& resource,
                                                 const std::string& namespace_, const ListOptions& options,
                                                 const Selection& selection) {
  const bool all_namespaces = resource.info().namespaced && namespace_.empty();
  std::optional<ContinueToken> token;
  if (!options.continue_.empty()) {
    auto decoded = decode_continue(options.continue_, all_namespaces, namespace_);
    if (!decoded) return tl::unexpected(kube::bad_request(decoded.error()));
    token = std::move(*decoded);
  }
  PageRequest request;
  request.resource = resource.qualified();
  request.namespace_ = namespace_;
  request.limit = options.limit;
  if (token) {
    request.from = token->next;
    request.version = static_cast<std::uint64_t>(std::max<std::int64_t>(token->version, 0));
  } else if (options.match == ListOptions::Match::exact) {
    request.version = options.version;
  }
  const bool selects = !selection.labels.requirements().empty() || !selection.fields.requirements().empty();
  if (selects) request.matches = [&](const Object& object) { return selection.matches(object); };
  request.count_rest = !selects && !(token && token->rest);
  Page page = store.page(request);
  if (page.outcome == Page::Outcome::expired) {
    return tl::unexpected(token ? continue_expired(*token, all_namespaces) : list_expired());
  }
  const std::uint64_t least = std::max(request.version, options.version);
  if (page.outcome == Page::Outcome::too_large || least > page.version) {
    return tl::unexpected(version_too_large(least, page.version));
  }
  ListedPage listed;
  listed.meta.version = page.version;
  if (page.next) {
    ContinueToken next{static_cast<std::int64_t>(page.version), *page.next, {}};
    // With a selector the number would count objects that do not match.
    if (!selects) next.rest = listed.meta.remaining_item_count = rest_behind(page, token);
    listed.meta.continue_ = encode(next, all_namespaces);
  }
  listed.objects = std::move(page.objects);
  return listed;
}

}  // namespace usbloop::apiserver
