#include <doctest/doctest.h>
#include <turbojpeg.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "device-sim/camera/camera_rig.h"
#include "device-sim/camera/jpeg_encoder.h"
#include "device-sim/camera/test_pattern.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::camera;

namespace {

/// A JPEG picture as the library reads it.
struct Decoded {
  explicit Decoded(std::span<const std::byte> jpeg) {
    const tjhandle library = ::tjInitDecompress();
    const auto* bytes = reinterpret_cast<const unsigned char*>(jpeg.data());
    int subsampling = 0, colours = 0;
    REQUIRE(::tjDecompressHeader3(library, bytes, jpeg.size(), &width, &height, &subsampling, &colours) == 0);
    CHECK(subsampling == TJSAMP_422);
    const auto pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    luma.resize(pixels);
    blue.resize(pixels / 2);
    red.resize(pixels / 2);
    std::array<unsigned char*, 3> planes = {luma.data(), blue.data(), red.data()};
    CHECK(::tjDecompressToYUVPlanes(library, bytes, jpeg.size(), planes.data(), width, nullptr, height, 0) == 0);
    ::tjDestroy(library);
  }

  /// A word of the strip, of which JPEG changes no square much.
  std::uint32_t strip_word(std::size_t line) const {
    std::uint32_t value = 0;
    for (std::size_t bit = 0; bit < 32; ++bit) {
      const unsigned y = luma[(line * 8 + 4) * static_cast<std::size_t>(width) + bit * 8 + 4];
      CHECK((y < 16 || y > 239));
      value = value << 1 | (y > 128 ? 1 : 0);
    }
    return value;
  }

  int width = 0, height = 0;
  std::vector<unsigned char> luma, blue, red;
};

void check_note(std::span<const std::byte> jpeg, std::uint32_t number, std::uint32_t milliseconds) {
  REQUIRE(jpeg.size() > 62);
  CHECK(jpeg[20] == std::byte{0xff});
  CHECK(jpeg[21] == std::byte{0xfe});
  CHECK(jpeg[22] == std::byte{0});
  CHECK(jpeg[23] == std::byte{40});
  std::uint32_t sum = 2166136261;
  for (const std::byte byte : jpeg.subspan(62)) sum = (sum ^ std::to_integer<std::uint32_t>(byte)) * 16777619;
  std::array<char, 39> text{};
  std::snprintf(text.data(), text.size(), "usbloop %010u %010u %08x", number, milliseconds, sum);
  CHECK(std::string(reinterpret_cast<const char*>(jpeg.data()) + 24, 38) == text.data());
}

/// The mean difference of the luma to that of the same picture in YUYV.
double difference(const Decoded& jpeg, std::span<const std::byte> yuyv) {
  double sum = 0;
  for (std::size_t i = 0; i < jpeg.luma.size(); ++i) {
    sum += std::abs((std::to_integer<int>(yuyv[2 * i]) - 16) * 255.0 / 219 - jpeg.luma[i]);
  }
  return sum / static_cast<double>(jpeg.luma.size());
}

}  // namespace

TEST_CASE("MJPEG pictures are JPEG of every size, with their number to be seen and to be read in a comment") {
  for (std::uint8_t frame = 1; frame <= 3; ++frame) {
    const PictureSize size = kSizes[frame - 1U];
    CAPTURE(size.width);
    CameraRig rig;
    REQUIRE(rig.set(kProbe, mode(2, frame, 333333)) == usb_redir_success);
    const auto agreed = rig.get(kGetRequest, kProbe).data;
    CHECK(agreed[2] == std::byte{2});
    CHECK(agreed[3] == std::byte{frame});
    CHECK(word(agreed, 18) == size.pixels() / 2);
    REQUIRE(rig.set(kCommit, agreed) == usb_redir_success);
    for (std::uint32_t number = 0; number < 3; ++number) {
      const auto jpeg = rig.picture(kBulkPayload);
      CHECK(jpeg.size() < size.pixels() / 4);
      check_note(jpeg, number, number * 34);
      const Decoded picture(jpeg);
      CHECK(picture.width == size.width);
      CHECK(picture.height == size.height);
      CHECK(picture.strip_word(0) == number);
      CHECK(picture.strip_word(1) == number * 34);
      rig.pass(std::chrono::milliseconds(34));
    }
  }
}

TEST_CASE("an MJPEG picture looks like that of YUYV, whatever the controls say") {
  for (const auto& tone : {Tone{}, Tone{100, 64}, Tone{-100, 64}, Tone{0, 64}, Tone{0, 0}}) {
    CAPTURE(tone.brightness);
    CAPTURE(tone.contrast);
    constexpr PictureSize kSize{640, 480};
    std::vector<std::byte> yuyv(kSize.bytes()), jpeg;
    TestPattern(kSize.width, kSize.height).draw(123456, 7, tone, yuyv);
    REQUIRE(JpegEncoder(kSize).encode(yuyv, 123456, 7, jpeg));
    check_note(jpeg, 123456, 7);
    CHECK(difference(Decoded(jpeg), yuyv) < 1.5);
  }
}

TEST_CASE("what an encoder keeps of the picture before is not seen in the next") {
  constexpr PictureSize kSize{640, 480};
  JpegEncoder encoder(kSize);
  TestPattern pattern(kSize.width, kSize.height);
  std::vector<std::byte> yuyv(kSize.bytes()), kept, fresh;
  std::uint32_t number = 0;
  for (const auto& tone : {Tone{}, Tone{}, Tone{-20, 40}, Tone{-20, 40}, Tone{}}) {
    CAPTURE(number);
    number += 9;
    pattern.draw(number, number * 33, tone, yuyv);
    CHECK(strip(yuyv, kSize.width, 2) == sum_below_strip(yuyv, kSize.width));
    std::vector<std::byte> anew(kSize.bytes());
    TestPattern(kSize.width, kSize.height).draw(number, number * 33, tone, anew);
    CHECK((yuyv == anew));
    REQUIRE(encoder.encode(yuyv, number, number * 33, kept));
    REQUIRE(JpegEncoder(kSize).encode(yuyv, number, number * 33, fresh));
    CHECK((kept == fresh));
    CHECK(difference(Decoded(kept), yuyv) < 1.5);
  }
}

TEST_CASE("a picture that would be larger than the camera has told is an error") {
  constexpr PictureSize kSize{320, 240};
  std::vector<std::byte> noise(kSize.bytes()), jpeg;
  std::uint32_t state = 1;
  for (std::byte& byte : noise) byte = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24);
  const auto refused = JpegEncoder(kSize).encode(noise, 0, 0, jpeg);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().operation == "compress a picture");
}

TEST_CASE("YUYV has no largest size, and MJPEG needs few isochronous packets") {
  CameraRig rig(VideoTransfers::isochronous);
  const auto payload = [&](std::uint8_t format, std::uint8_t frame) {
    REQUIRE(rig.set(kProbe, mode(format, frame, 333333)) == usb_redir_success);
    return word(rig.get(kGetRequest, kProbe).data, 22);
  };
  CHECK(payload(2, 1) == 2048);
  CHECK(payload(2, 2) == 3054);
  CHECK(payload(2, 3) == 3072);
  CHECK(rig.set(kCommit, mode(1, 3, 333333)) == usb_redir_stall);
  CHECK(rig.get(kGetRequest, kProbe).data.at(3) == std::byte{3});
}
