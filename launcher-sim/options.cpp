#include "launcher-sim/options.h"

#include <CLI/CLI.hpp>

namespace usbloop::launcher {

Parsed parse_options(int argc, const char* const* argv, const std::string& version) {
  Parsed parsed;
  Options& options = parsed.options;
  CLI::App app("Runs the guests of one node: QEMU processes, their USB slots, and the websocket's end.",
               "launcher-sim");
  app.set_version_flag("--version", version);
  auto* kubeconfig = app.add_option("--kubeconfig", options.kubeconfig, "Kubeconfig file of the node's user");
  app.add_option("--context", options.context, "Context to use of it");
  auto* node = app.add_option("--node-name", options.node_name, "Name of the Node object");
  auto* run_dir = app.add_option("--run-dir", options.run_dir, "The node's own directory: a folder for each guest");
  auto* guest = app.add_option("--guest", options.guest_dir, "Directory with vmlinux and initramfs.cpio.gz");
  app.add_option("--template-dir", options.template_dir,
                 "Guests begin as copies of templates kept in this directory, which launchers may share. A template is "
                 "a guest of the same shape that was booted once. Under TCG only; without it, and where it fails, "
                 "guests are booted");
  app.add_option("--qemu", options.qemu, "QEMU's program")->capture_default_str();
  app.add_option("--accel", options.accelerator, "auto: KVM where it really runs a guest")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  app.add_flag("!--no-quick-firmware", options.quick_firmware,
               "Start guests with SeaBIOS also where QEMU has qboot.rom, which takes less time. Under KVM all do");
  app.add_option("--max-vmis", options.max_vmis, "Guests at the same time; further VMIs wait")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  std::int64_t ping = options.ping_interval.count();
  std::int64_t timeout = options.peer_timeout.count();
  app.add_option("--ping-interval", ping, "Seconds between pings to a client")->check(CLI::Range(1, 3600));
  app.add_option("--peer-timeout", timeout, "Seconds of silence after which a client counts as gone")
      ->check(CLI::Range(1, 36000));
  app.add_flag("!--no-handoff", options.handoff,
               "Carry the bytes here even where the API server would take the socket");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "Same as --log-level debug");
  auto* dry_run = app.add_option("--dry-run-vmi", options.dry_run_vmi,
                                 "Print the QEMU command line for the VMI in this file (JSON), one argument a line");
  for (auto* needed : {kubeconfig, node, run_dir}) needed->required();
  guest->required();
  try {
    // Only the guest's artefacts matter to a dry run.
    for (int i = 1; i < argc; ++i) {
      if (std::string_view(argv[i]).starts_with("--dry-run-vmi")) {
        for (auto* needed : {kubeconfig, node, run_dir}) needed->required(false);
      }
    }
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
    return parsed;
  }
  static_cast<void>(dry_run);
  if (verbose) options.log_level = "debug";
  options.ping_interval = std::chrono::seconds(ping);
  options.peer_timeout = std::chrono::seconds(timeout);
  return parsed;
}

}  // namespace usbloop::launcher
