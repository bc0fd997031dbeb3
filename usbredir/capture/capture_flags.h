#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "common/error.h"
#include "usbredir/capture/capture_file.h"

namespace usbloop::capture {

/// The flags of a capture, the same for each program that has them. They must outlive the parsing.
class CaptureFlags {
 public:
  /// `options.path` stays empty when no capture is asked for.
  CaptureFlags(CLI::App& app, CaptureOptions& options);

  /// Checks them when they have been parsed. Errors name the flag.
  Result<> finish();

 private:
  CLI::App& app_;
  CaptureOptions& options_;
  std::string path_, size_, snap_;
};

/// `100`, `64K`, `100M`, `2G`, of 1024; nothing for other texts and for what is beyond 64 bits.
std::optional<std::uint64_t> parse_byte_count(const std::string& text);

/// What a person is told when the file can no longer be written.
std::string trouble_text(const Error& error);

/// What a person is told at the end: how many records are not in the file. Empty when all are.
std::string loss_text(const CaptureCounts& counts, const std::filesystem::path& path);

}  // namespace usbloop::capture
