#pragma once

#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/kube/rest_client.h"

namespace usbloop::launcher {

/// Which API server a node belongs to, and as whom.
struct ApiServerQuery {
  std::string kubeconfig;  ///< the file
  std::string context;     ///< empty: its current one
  std::string node_name;
  bool ask = true;  ///< false: only the kubeconfig has to be there
};

/// Waits for the API server of a node that may have been started first: for the kubeconfig to be written, for the
/// server to answer, and for it to know the node's user. Reads the kubeconfig anew for each try. Says once what it
/// waits for, and again when that changes.
///
/// An error that time does not heal ends the wait: a kubeconfig that is wrong (invalid), a server whose certificate is
/// not signed by the kubeconfig's authority, a user that the server does not know or who may not write the Node
/// (denied), a server that is no Kubernetes API (protocol). ErrorKind::cancelled when stop was requested. Blocks.
Result<kube::RestClient> wait_for_api_server(const ApiServerQuery& query, const std::stop_token& stop);

}  // namespace usbloop::launcher
