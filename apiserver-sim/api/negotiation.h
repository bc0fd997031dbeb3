#pragma once

#include <string>

namespace usbloop::apiserver {

/// In which form a client wants objects.
struct Representation {
  bool acceptable = true;  ///< false: 406, the client takes no JSON
  bool table = false;
  std::string table_version = "v1";  ///< of meta.k8s.io
};

/// Reads an Accept header; the first entry that we can serve wins. `table_possible`: the answer holds objects.
Representation negotiate(const std::string& accept, bool table_possible);

}  // namespace usbloop::apiserver
