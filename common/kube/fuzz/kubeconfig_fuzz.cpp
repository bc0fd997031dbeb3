#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "common/fd.h"
#include "common/kube/fuzz/targets.h"
#include "common/kube/kubeconfig_file.h"

namespace usbloop::kube::fuzz {

// A kubeconfig file and the reading of its fields. No field is followed: neither files nor programs that it names.
void kubeconfig(std::span<const std::byte> input) {
  const Fd file(::memfd_create("kubeconfig", MFD_CLOEXEC));
  if (!file || ::write(file.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) return;
  const auto parsed = read_kubeconfig_file("/proc/self/fd/" + std::to_string(file.get()));
  if (!parsed) return;
  const Section top("config", "", parsed->root);
  if (!top.check()) return;
  (void)top.text("current-context");
  for (const char* name : {"clusters", "users", "contexts"}) {
    const auto entries = top.list(name);
    if (!entries) continue;
    for (const YAML::Node& entry : *entries) {
      const Section section("config", name, entry);
      if (!section.check()) continue;
      (void)section.text("name");
      for (const char* part : {"cluster", "user", "context"}) {
        const auto inner = section.section(part);
        if (!inner) continue;
        for (const char* field : {"server", "token", "namespace", "certificate-authority"}) (void)inner->text(field);
        (void)inner->flag("insecure-skip-tls-verify");
      }
    }
  }
}

}  // namespace usbloop::kube::fuzz
