#pragma once

#include <string>

#include "common/error.h"

namespace usbloop::client {

/// Whether `name` can be the name of a VMI (RFC 1123 subdomain) or of a namespace (label); the cause otherwise.
Result<> check_vmi_name(const std::string& name);
Result<> check_namespace(const std::string& name);

/// The VMI that `demo`, `vmi/demo`, `vm/demo` or `virtualmachineinstance.kubevirt.io/demo` names, as kubectl writes
/// them: a VM's VMI has the name of the VM. ErrorKind::invalid for other types. The name itself is not checked.
Result<std::string> vmi_name_of(const std::string& argument);

}  // namespace usbloop::client
