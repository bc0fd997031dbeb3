#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::device_sim {

/// A WAV file (RIFF, PCM of 16 bits) that is written as sound comes. Its header is right at any time: it counts what is
/// in the file, so that a program which is killed leaves a file that can be played. The sound of some milliseconds may
/// be in memory until flush(). One thread.
class WaveFile {
 public:
  static constexpr std::size_t kHeaderSize = 44;

  /// Makes the file, or takes the place of what is in it. It holds `most` bytes of sound at most, cut to what the
  /// format can count. Errors: those of the system; conflict (another device writes it); invalid (it is no file).
  static Result<std::unique_ptr<WaveFile>> create(const std::string& path, unsigned channels, std::uint32_t rate,
                                                  std::uint64_t most = UINT64_MAX);

  /// As create(), in memory.
  static Result<std::unique_ptr<WaveFile>> temporary(unsigned channels, std::uint32_t rate, std::uint64_t most);

  /// Whole frames. What is beyond the bound is dropped, and the log says so once.
  void append(std::span<const std::byte> frames);
  /// An Error when something could not be written, now or before.
  Result<> flush();

 private:
  static Result<std::unique_ptr<WaveFile>> begin(Fd fd, const std::string& path, unsigned channels, std::uint32_t rate,
                                                 std::uint64_t most);
  WaveFile(Fd fd, std::string path, unsigned channels, std::uint32_t rate, std::uint64_t most);
  [[nodiscard]] std::vector<std::byte> header() const;
  Result<> write_at(std::uint64_t offset, std::span<const std::byte> bytes);

  Fd fd_;
  std::string path_;
  unsigned channels_;
  std::uint32_t rate_;
  std::uint64_t most_;
  std::uint64_t written_ = 0;       ///< bytes of sound in the file
  std::vector<std::byte> waiting_;  ///< behind them
  bool is_full_ = false;
  Result<> outcome_;
};

}  // namespace usbloop::device_sim
