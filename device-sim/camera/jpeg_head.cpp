#include "device-sim/camera/jpeg_head.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace usbloop::device_sim {
namespace {

namespace marker {
constexpr unsigned kBaseline = 0xc0, kHuffmanTables = 0xc4, kArithmeticReserved = 0xc8, kArithmeticTables = 0xcc;
constexpr unsigned kLastFrame = 0xcf, kFirstRestart = 0xd0, kLastRestart = 0xd7, kStart = 0xd8, kEnd = 0xd9;
constexpr unsigned kScan = 0xda;
}  // namespace marker

tl::unexpected<std::string> no_picture(std::string cause) { return tl::unexpected<std::string>(std::move(cause)); }

class JpegReader {
 public:
  explicit JpegReader(std::span<const std::byte> file) : file_(file) {}

  tl::expected<JpegHead, std::string> read() {
    if (file_.size() < 2 || u8(0) != 0xff || u8(1) != marker::kStart) return no_picture("it is no JPEG file");
    at_ = 2;
    while (true) {
      const unsigned kind = next_marker();
      if (kind == 0 || kind == marker::kEnd) return no_picture("it is cut");
      const bool has_no_segment = kind < marker::kBaseline || (kind >= marker::kFirstRestart && kind <= marker::kStart);
      const auto segment = has_no_segment ? std::nullopt : next_segment();
      if (!segment) return no_picture("its markers are broken");
      if (kind == marker::kScan) return scan(*segment);
      if (auto cause = look_at(kind, *segment); !cause.empty()) return no_picture(std::move(cause));
    }
  }

 private:
  [[nodiscard]] unsigned u8(std::size_t at) const { return std::to_integer<unsigned>(file_[at]); }

  /// 0 where there is none.
  unsigned next_marker() {
    if (at_ >= file_.size() || u8(at_) != 0xff) return 0;
    while (at_ < file_.size() && u8(at_) == 0xff) ++at_;  // any number of fill bytes
    return at_ < file_.size() ? u8(at_++) : 0;
  }

  /// What is behind its length.
  std::optional<std::span<const std::byte>> next_segment() {
    if (at_ + 2 > file_.size()) return std::nullopt;
    const std::size_t length = u8(at_) << 8 | u8(at_ + 1);
    if (length < 2 || length > file_.size() - at_) return std::nullopt;
    const auto segment = file_.subspan(at_ + 2, length - 2);
    at_ += length;
    return segment;
  }

  /// Why the picture is not taken; empty when it is.
  std::string look_at(unsigned kind, std::span<const std::byte> segment) {
    const bool is_frame = kind <= marker::kLastFrame && kind != marker::kHuffmanTables &&
                          kind != marker::kArithmeticReserved && kind != marker::kArithmeticTables;
    if (!is_frame) return kind == marker::kArithmeticTables ? "it is not compressed by Huffman's code" : "";
    constexpr unsigned kExtended = 0xc1, kProgressive = 0xc2;
    if (kind == kProgressive) return "it is progressive";
    if (kind != marker::kBaseline) return kind == kExtended ? "it is no baseline picture" : "it is of a rare kind";
    constexpr std::size_t kFixed = 6, kComponent = 3;
    const auto field = [&](std::size_t at) { return std::to_integer<unsigned>(segment[at]); };
    if (components_ != 0 || segment.size() < kFixed || segment.size() != kFixed + kComponent * field(5)) {
      return "its markers are broken";
    }
    if (field(0) != 8) return "its samples have no 8 bits";
    components_ = field(5);
    if (components_ != 1 && components_ != 3) return "its colours are no YCbCr";
    head_.size = {static_cast<std::uint16_t>(field(3) << 8 | field(4)),
                  static_cast<std::uint16_t>(field(1) << 8 | field(2))};
    return head_.size.pixels() == 0 ? "it has no size" : "";
  }

  tl::expected<JpegHead, std::string> scan(std::span<const std::byte> header) {
    if (components_ == 0 || header.empty()) return no_picture("its markers are broken");
    if (std::to_integer<unsigned>(header[0]) != components_) return no_picture("it has more than one scan");
    while (true) {
      const auto found = std::find(file_.begin() + static_cast<std::ptrdiff_t>(at_), file_.end(), std::byte{0xff});
      at_ = static_cast<std::size_t>(found - file_.begin());
      const unsigned kind = next_marker();
      if (at_ >= file_.size() && kind != marker::kEnd) return no_picture("it is cut");
      if (kind == marker::kEnd) break;
      const bool is_data = kind == 0 || (kind >= marker::kFirstRestart && kind <= marker::kLastRestart);
      if (!is_data) return no_picture("it has more than one scan");
    }
    head_.length = at_;
    return head_;
  }

  std::span<const std::byte> file_;
  std::size_t at_ = 0;
  unsigned components_ = 0;  ///< of the frame; 0: none has come
  JpegHead head_;
};

}  // namespace

tl::expected<JpegHead, std::string> read_jpeg_head(std::span<const std::byte> file) { return JpegReader(file).read(); }

}  // namespace usbloop::device_sim
