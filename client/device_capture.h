#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client/device_source.h"
#include "client/options.h"
#include "common/error.h"
#include "usbredir/capture/capture_file.h"

namespace usbloop::client {

/// The capture that --capture asks for, of all redirections of this program. Outlives the sources that wrap() gives.
class DeviceCapture {
 public:
  /// Null when no capture is asked for. `say` tells a person lines, from any thread.
  static Result<std::unique_ptr<DeviceCapture>> begin(const Options& options,
                                                      std::function<void(const std::string&)> say);

  /// `source`, whose redirections are captured.
  std::unique_ptr<DeviceSource> wrap(std::unique_ptr<DeviceSource> source);

  /// Writes what waits, for two seconds at most, and says what is missing. From any thread; the first call counts, and
  /// further ones wait for it.
  void end();

  ~DeviceCapture() { end(); }
  DeviceCapture(const DeviceCapture&) = delete;
  DeviceCapture& operator=(const DeviceCapture&) = delete;

 private:
  DeviceCapture(std::unique_ptr<capture::CaptureFile> file, std::filesystem::path path,
                std::function<void(const std::string&)> say)
      : file_(std::move(file)), path_(std::move(path)), say_(std::move(say)) {}

  const std::unique_ptr<capture::CaptureFile> file_;
  const std::filesystem::path path_;
  const std::function<void(const std::string&)> say_;
  std::once_flag ended_;
};

}  // namespace usbloop::client
