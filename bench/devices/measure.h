#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace usbloop::bench {

struct DeviceOptions {
  int rounds = 5;
  int mib = 128;                          ///< that a disk is read and written
  std::chrono::milliseconds watch{5000};  ///< how long a camera streams, and a device is idle
};

/// MB/s of one disk, by round: with its store in a file, and in memory.
struct DiskFigures {
  std::vector<double> file, memory;
};

struct CameraFigures {
  std::vector<double> pictures_per_second;
  std::vector<double> share;  ///< of a core, 0 to 1
};

struct DeviceResults {
  std::map<std::string, std::map<std::string, DiskFigures>> disks;  ///< by device and what was done
  std::map<std::string, CameraFigures> cameras;                     ///< by stream
  std::map<std::string, std::vector<double>> idle;                  ///< share of a core, by kind
  double seconds = 0;
};

/// Failures are e2e::Failure. `progress` gets a line now and then.
DeviceResults measure_devices(const DeviceOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
