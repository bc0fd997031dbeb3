#include "client/object_names.h"

#include <algorithm>
#include <string_view>

namespace usbloop::client {

namespace {

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') || character == '-';
}

/// RFC 1123: letters, digits and dashes, neither end a dash, at most 63 characters.
bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_subdomain(std::string_view text) {
  if (text.size() > 253) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

Result<> check_name(const std::string& what, const std::string& name, bool fine) {
  if (name.empty()) return make_error(ErrorKind::invalid, "use", what, "it is empty");
  if (fine) return {};
  const std::string shown = name.size() <= 64 ? name : name.substr(0, 64) + "...";
  return make_error(ErrorKind::invalid, "use", what + " \"" + shown + "\"",
                    "a name has lower-case letters, digits and dashes, and begins and ends with a letter or digit");
}

}  // namespace

Result<> check_vmi_name(const std::string& name) { return check_name("the VMI's name", name, is_subdomain(name)); }

Result<> check_namespace(const std::string& name) { return check_name("the namespace", name, is_label(name)); }

Result<std::string> vmi_name_of(const std::string& argument) {
  const auto slash = argument.find('/');
  if (slash == std::string::npos) return argument;
  std::string_view type = std::string_view(argument).substr(0, slash);
  for (const std::string_view group : {".v1.kubevirt.io", ".kubevirt.io"}) {
    if (!type.ends_with(group)) continue;
    type.remove_suffix(group.size());
    break;
  }
  for (const std::string_view known : {"vmi", "vmis", "virtualmachineinstance", "virtualmachineinstances", "vm", "vms",
                                       "virtualmachine", "virtualmachines"}) {
    if (type == known) return argument.substr(slash + 1);
  }
  if (auto fine = check_vmi_name(argument); !fine) {
    fine.error().hint = "Write NAME, vmi/NAME or vm/NAME.";
    return tl::unexpected(fine.error());
  }
  return argument;
}

}  // namespace usbloop::client
