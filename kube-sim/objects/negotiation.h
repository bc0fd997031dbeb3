#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace usbloop::apiserver {

/// In which form a client wants objects.
struct Representation {
  bool acceptable = true;  ///< false: 406
  bool yaml = false;
  bool table = false;
  bool metadata_only = false;       ///< PartialObjectMetadata, or a list of them
  std::string meta_version = "v1";  ///< of meta.k8s.io, for tables and metadata
};

/// Reads an Accept header; the first entry that we can serve wins. wire.md section 6.
Representation negotiate(const std::string& accept);

/// What 406 says that there is.
const std::vector<std::string_view>& served_types();

}  // namespace usbloop::apiserver
