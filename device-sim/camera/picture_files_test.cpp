#include "device-sim/camera/picture_files.h"

#include <doctest/doctest.h>
#include <turbojpeg.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "device-sim/camera/camera_rig.h"
#include "device-sim/camera/jpeg_head.h"
#include "device-sim/emulation/spec.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::camera;
using usbloop::testing::contains;
using usbloop::testing::TempDir;

namespace {

/// A picture of one colour.
std::string jpeg_of(int width, int height, std::array<unsigned char, 3> colour, int subsampling = TJSAMP_420,
                    int flags = 0) {
  std::vector<unsigned char> pixels;
  for (int i = 0; i < width * height; ++i) pixels.insert(pixels.end(), colour.begin(), colour.end());
  const tjhandle library = ::tjInitCompress();
  unsigned char* made = nullptr;
  unsigned long length = 0;  // the library's type. NOLINT(google-runtime-int)
  REQUIRE(::tjCompress2(library, pixels.data(), width, 0, height, TJPF_RGB, &made, &length, subsampling, 80, flags) ==
          0);
  std::string bytes(reinterpret_cast<const char*>(made), length);
  ::tjFree(made);
  ::tjDestroy(library);
  return bytes;
}

constexpr std::array<unsigned char, 3> kRed = {255, 0, 0}, kGrey = {128, 128, 128};

void save_picture(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::span<const std::byte> jpeg_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error refusal_of(const std::filesystem::path& path) {
  const auto made = make_host_end("camera,frames=" + path.string());
  REQUIRE_FALSE(made);
  return made.error();
}

}  // namespace

TEST_CASE("a camera shows the files of a directory by name, again and again, and MJPEG is their bytes") {
  const TempDir dir;
  const std::map<std::string, std::string> files = {{"a 10.JPG", jpeg_of(320, 200, kRed)},
                                                    {"b.jpeg", jpeg_of(320, 200, kGrey, TJSAMP_444)},
                                                    {"c.jpg", jpeg_of(320, 200, kGrey, TJSAMP_GRAY)}};
  for (const auto& [name, bytes] : files) save_picture(dir.path / name, bytes);
  save_picture(dir.path / "readme.txt", "no picture");
  const auto loaded = PictureFiles::load(dir.path.string());
  REQUIRE_MESSAGE(loaded, loaded.error().message());
  CHECK((*loaded)->count() == 3);

  CameraRig rig(VideoTransfers::bulk, *loaded);
  REQUIRE(rig.set(kProbe, mode(2, 7, 333333)) == usb_redir_success);
  const auto agreed = rig.get(kGetRequest, kProbe).data;
  CHECK(agreed[3] == std::byte{1});
  CHECK(word(agreed, 18) == (*loaded)->most_bytes());
  REQUIRE(rig.set(kCommit, agreed) == usb_redir_success);
  for (int round = 0; round < 2; ++round) {
    for (const auto& [name, bytes] : files) {
      CAPTURE(name);
      CHECK((text_of_bytes(rig.picture(kBulkPayload)) == bytes));
      rig.pass(std::chrono::milliseconds(34));
    }
  }
}

TEST_CASE("as YUYV the files are decoded, whatever their subsampling, and the controls change them") {
  const TempDir dir;
  save_picture(dir.path / "1.jpg", jpeg_of(320, 200, kRed));
  save_picture(dir.path / "2.jpg", jpeg_of(320, 200, kGrey, TJSAMP_GRAY));
  save_picture(dir.path / "3.jpg", jpeg_of(320, 200, kRed, TJSAMP_444));
  const auto loaded = PictureFiles::load(dir.path.string());
  REQUIRE_MESSAGE(loaded, loaded.error().message());
  CameraRig rig(VideoTransfers::bulk, *loaded);
  const auto check = [&](int y, int u, int v) {
    const auto picture = rig.picture(kBulkPayload);
    REQUIRE(picture.size() == 320 * 200 * 2);
    bool is_right = true;
    for (std::size_t at = 0; at < picture.size(); at += 4) {
      const auto near = [&](std::size_t i, int value) {
        return std::abs(std::to_integer<int>(picture[at + i]) - value) < 4;
      };
      is_right = is_right && near(0, y) && near(1, u) && near(2, y) && near(3, v);
    }
    CHECK(is_right);
    rig.pass(std::chrono::milliseconds(34));
  };
  REQUIRE(rig.set(kCommit, mode(1, 1, 333333)) == usb_redir_success);
  check(81, 90, 240);  // BT.601's red in studio range
  check(126, 128, 128);
  check(81, 90, 240);
  REQUIRE(rig.set(0x0200, std::vector{std::byte{20}, std::byte{0}}, kProcessingUnit << 8) == usb_redir_success);
  check(101, 90, 240);
}

TEST_CASE("files that are no pictures for a camera are refused with the reason") {
  const TempDir dir;
  CHECK(refusal_of(dir.path / "none.jpg").kind == ErrorKind::not_found);
  std::filesystem::create_directory(dir.path / "empty");
  CHECK(refusal_of(dir.path / "empty").cause == "no name in it ends in .jpg or .jpeg");
  const std::string sound = jpeg_of(320, 200, kRed);
  std::string twelve_bits = sound;
  const std::size_t frame = sound.find("\xff\xc0");
  twelve_bits[frame + 4] = 12;
  const std::map<std::string, std::string> causes = {
      {"", "it is no JPEG file"},
      {"GIF89a", "it is no JPEG file"},
      {sound.substr(0, sound.size() - 2), "it is cut"},
      {sound.substr(0, sound.size() / 2), "it is cut"},
      {sound.substr(0, 3), "it is cut"},
      {sound.substr(0, frame + 4), "its markers are broken"},
      {twelve_bits, "its samples have no 8 bits"},
      {jpeg_of(320, 200, kRed, TJSAMP_420, TJFLAG_PROGRESSIVE), "it is progressive"},
      {jpeg_of(321, 200, kRed), "it has 321x200 pixels"},
      {jpeg_of(14, 200, kRed), "it has 14x200 pixels"},
      {jpeg_of(1920, 1082, kRed), "it has 1920x1082 pixels"}};
  for (const auto& [bytes, cause] : causes) {
    CAPTURE(cause);
    save_picture(dir.path / "a.jpg", bytes);
    const Error error = refusal_of(dir.path / "a.jpg");
    CHECK(error.cause == cause);
    CHECK(contains(error.message(), "a.jpg"));
  }
  save_picture(dir.path / "a.jpg", sound);
  save_picture(dir.path / "b.jpg", jpeg_of(640, 400, kRed));
  CHECK(refusal_of(dir.path).cause == "it has 640x400 pixels, and the first picture 320x200");
  save_picture(dir.path / "b.jpg", std::string(PictureFiles::kMostFileBytes + 1, '\xff'));
  CHECK(contains(refusal_of(dir.path).cause, "larger than 8 MiB"));
}

TEST_CASE("a picture ends at its end, and one that breaks off inside is left out of YUYV") {
  const TempDir dir;
  const std::string sound = jpeg_of(320, 200, kRed);
  const auto head = read_jpeg_head(jpeg_bytes(sound + "a thumbnail"));
  REQUIRE(head);
  CHECK(head->length == sound.size());
  // The data of the scan is gone, which only decoding shows.
  const std::size_t scan = sound.find("\xff\xda") + 14;
  save_picture(dir.path / "1.jpg", sound.substr(0, scan + 8) + "\xff\xd9");
  save_picture(dir.path / "2.jpg", sound);
  const auto loaded = PictureFiles::load(dir.path.string());
  REQUIRE(loaded);
  CameraRig rig(VideoTransfers::bulk, *loaded);
  REQUIRE(rig.set(kCommit, mode(1, 1, 333333)) == usb_redir_success);
  rig.guest.replies.clear();
  rig.ask(kBulkPayload);
  CHECK(rig.guest.replies.empty());
  rig.pass(std::chrono::milliseconds(34));
  CHECK(rig.guest.replies.size() == 1);
}
