#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <span>
#include <vector>

#include "common/error.h"
#include "usbredir/capture/blocks.h"
#include "usbredir/capture/urb.h"

namespace usbloop::capture {

/// The next record, and the interface that it belongs to (an index of CaptureReader::interfaces()).
struct Record {
  std::uint32_t interface = 0;
  Urb urb;
  std::uint64_t lost = 0;  ///< records that are missing before it
};

/// Reads a pcapng file of USB transfers: our own captures, and what Wireshark has saved of them or of usbmon. The file
/// is not trusted: memory is taken for what is there, and for one block (kLongestBlock) at most. What pcapng has and we
/// do not need is passed over, records of other link types too. Belongs to one thread.
class CaptureReader {
 public:
  static constexpr std::size_t kLongestBlock = 16 * 1024 * 1024;
  static constexpr std::size_t kMostInterfaces = 1024;

  /// `in` must outlive it.
  explicit CaptureReader(std::istream& in) : in_(in) {}

  /// Nothing at the end. Errors (kind protocol): this is no pcapng, another machine's byte order, or a block, with its
  /// place in the file, that is broken; nothing can be read after it.
  Result<std::optional<Record>> next();

  /// Those of the section at hand, so far.
  [[nodiscard]] const std::vector<Interface>& interfaces() const { return interfaces_; }

  /// The file ends within a block: its writer was killed.
  [[nodiscard]] bool is_cut() const { return cut_; }

 private:
  struct Block {
    std::uint32_t type = 0;
    std::vector<std::byte> body;
  };
  Result<std::optional<Block>> next_block();
  [[nodiscard]] Result<> check_head(std::uint32_t type, std::size_t size) const;
  Result<> begin_section(std::span<const std::byte> body);
  Result<> add_interface(std::span<const std::byte> body);
  Result<std::optional<Record>> read_packet(std::span<const std::byte> body) const;
  /// Fewer than `count` at the end of the file.
  std::vector<std::byte> read_bytes(std::size_t count);
  [[nodiscard]] tl::unexpected<Error> broken(std::string cause) const;

  std::istream& in_;
  std::uint64_t position_ = 0;  ///< of the next block
  std::uint64_t block_at_ = 0;  ///< of the block at hand
  bool in_section_ = false;
  bool cut_ = false;
  std::vector<Interface> interfaces_;
};

}  // namespace usbloop::capture
