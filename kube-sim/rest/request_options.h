#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/request/http_types.h"

// The query parameters of the verbs (and the body of a deletion), validated in the words of kube-apiserver: 422 with
// the options' kind, or 400 for what does not even parse.
namespace usbloop::apiserver {

/// What to do about fields that a kind does not have and fields given twice.
enum class FieldValidation { ignore, warn, strict };

struct WriteOptions {
  bool dry_run = false;
  std::string field_manager;  ///< as given; empty: see manager_of()
  FieldValidation validation = FieldValidation::warn;
  bool force = false;  ///< of an apply: take over fields that others manage
};

/// `kind` is "CreateOptions", "UpdateOptions" or "PatchOptions"; `apply` makes the manager required and allows force.
tl::expected<WriteOptions, kube::Status> read_write_options(const Request& request, const std::string& kind,
                                                            bool apply = false);

/// Who is to own the fields that a request changes: the manager that it names, or the program in its User-Agent.
std::string manager_of(const WriteOptions& options, const Request& request);

struct ListOptions {
  enum class Match {
    any,             ///< no version given: the present state; or one given: not older than it
    exact,           ///< the state of `version`
    not_older_than,  ///< the present state, once it has reached `version`
  };
  std::size_t limit = 0;  ///< 0: none
  std::string continue_;  ///< an encoded ContinueToken; empty: the first page
  Match match = Match::any;
  std::uint64_t version = 0;  ///< 0: none given, or "0": any version will do
};

tl::expected<ListOptions, kube::Status> read_list_options(const Request& request);

/// From the body when there is one, else from the query.
tl::expected<DeleteOptions, kube::Status> read_delete_options(const Request& request, const SchemaSet& schemas);

/// A resourceVersion, or the text of Go's strconv for one that is none.
tl::expected<std::uint64_t, std::string> parse_version(const std::string& text);

/// 504: the version is still to come.
kube::Status version_too_large(std::uint64_t asked, std::uint64_t current);

}  // namespace usbloop::apiserver
