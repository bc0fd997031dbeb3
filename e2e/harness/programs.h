#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace usbloop::e2e {

/// The programs under test, as this build made them.
std::filesystem::path apiserver_sim();
std::filesystem::path launcher_sim();
std::filesystem::path device_sim();
std::filesystem::path kubectl_usbredir();

/// Where scripts/build-guest puts the test guest. USBLOOP_TEST_KERNEL=other: that with the kernel of another release.
std::filesystem::path guest_dir();

/// Whether loops give their guests out as copies of a template: yes, but for USBLOOP_TEST_START=boot.
bool guests_are_cloned();

/// The same with kernels of other releases, where scripts/lib/fetch_guests puts them; maybe none.
std::vector<std::filesystem::path> guests_of_other_releases();

/// Where scripts/up keeps the templates that guests are copies of.
std::filesystem::path templates_dir();

/// Whether PATH has a program of that name.
bool on_path(const std::string& program);

/// Why a test with a guest cannot run on this machine, or nothing when it can.
std::optional<std::string> missing_for_guest();

/// Says why the running case cannot run on this machine; the case then returns. The test program counts as skipped
/// unless a case failed.
void skip_case(const std::string& reason);
bool case_was_skipped();

}  // namespace usbloop::e2e
