#pragma once

#include <filesystem>
#include <string>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/fake_node.h"
#include "e2e/harness/guest_console.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

// What most cases begin with.
namespace usbloop::e2e {

/// A loop whose VMI has a guest that is ready.
struct GuestScene {
  CaseDir dir;
  Loop loop{dir};
  Vmi vmi{loop, "demo"};
  GuestConsole& guest = vmi.boot();
};

/// A loop without a launcher: the case plays the node, and what stands at the end of a slot. There is an image for a
/// stick, of 1 MiB.
struct FakeNodeScene {
  CaseDir dir;
  Loop loop{dir, {.nodes = {}}};
  FakeNode node{loop};
  std::filesystem::path image = dir.path() / "stick.img";

  FakeNodeScene() { make_random_image(image, 1 << 20, 1); }
  /// The stick as --emulate takes it; further settings may be appended (",ro").
  [[nodiscard]] std::string stick() const { return "stick,image=" + image.string(); }
};

}  // namespace usbloop::e2e
