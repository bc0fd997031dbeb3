// The emulated camera at a QEMU without a loop: the guest's driver is uvcvideo, and a program in the guest looks at
// every picture.
#include <doctest/doctest.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <fstream>
#include <regex>
#include <vector>

#include "e2e/camera/pictures.h"
#include "e2e/camera/png.h"
#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

/// A guest with a slot, and with /tools, where the program is.
struct Rig {
  Rig() : guest(plain.boot()) {
    guest.must_run("mkdir /tools && mount -t 9p -o trans=virtio,version=9p2000.L,ro tools /tools");
  }

  static PlainGuestOptions options() {
    const std::string tools = fs::path(USBLOOP_CAPTURE).parent_path();
    return {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                          "usb-redir,chardev=slot0,bus=xhci.0,port=1", "-virtfs",
                          "local,path=" + tools + ",mount_tag=tools,security_model=none,readonly=on"}};
  }

  Process plug(const std::string& spec) {
    const std::size_t from = guest.mark();
    Process process({.name = "camera",
                     .argv = {device_sim(), "--emulate", spec, "--to", "unix:" + (plain.dir() / "slot0.sock").string()},
                     .log_dir = dir.path()});
    guest.wait_for_line("usbloop-guest: usb add 13d3:5406 speed=480 product=\"Integrated Camera\" path=1-1", 15s, from);
    wait_until("the camera's node", 20s, [&] { return guest.run("test -c /dev/video0").status == 0; });
    CHECK(guest.must_run("basename $(readlink /sys/bus/usb/devices/1-1:1.1/driver)") == "uvcvideo");
    return process;
  }

  struct Captured {
    int lost = 0;           ///< pictures that are missing between those that came
    double seconds = 0;     ///< from the first to the last
    double per_second = 0;  ///< how many came
  };

  /// Captures `count` pictures, of which each has to be right.
  Captured look(const std::string& size, int rate, int count, const std::string& options = "",
                const std::string& file = "") {
    const std::string text = guest.must_run("/tools/capture " + options + " /dev/video0 " + size + " " +
                                                std::to_string(rate) + " " + std::to_string(count) + " " + file,
                                            120s);
    std::smatch match;
    const std::regex report("pictures=(\\d+) damaged=(\\d+) lost=(\\d+) milliseconds=(\\d+)");
    REQUIRE_MESSAGE(std::regex_search(text, match, report), text);
    MESSAGE(size << " at " << rate << ": " << match.str());
    CHECK(match[1] == std::to_string(count));
    // A frame identifier has one bit: a guest that missed a picture takes the ends of its neighbours for one picture.
    if (match[3] == "0") CHECK(match[2] == "0");
    const double seconds = std::stod(match[4]) / 1000;
    return {.lost = std::stoi(match[3]), .seconds = seconds, .per_second = (count - 1) / seconds};
  }

  /// The same, where no more than `most_lost` may be missing. Gives how many came in a second.
  double capture(const std::string& size, int rate, int count, int most_lost = 0, const std::string& options = "",
                 const std::string& file = "") {
    const Captured captured = look(size, rate, count, options, file);
    CHECK(captured.lost <= most_lost);
    return captured.per_second;
  }

  /// The same by an isochronous stream, which waits for nobody: a guest that stands still, as it may on a machine with
  /// much to do, loses what comes then. But the camera keeps its time whatever the guest does.
  int capture_stream(const std::string& size, int rate, int count) {
    const Captured captured = look(size, rate, count);
    CHECK(captured.lost + count - 1 == doctest::Approx(rate * captured.seconds).epsilon(0.1).scale(20));
    return captured.lost;
  }

  /// One of some streams loses less than a third of its pictures.
  void capture_slow_stream(const std::string& size, int rate, int count) {
    int lost = count;
    for (int attempt = 0; attempt < 5 && lost > count / 3; ++attempt) lost = capture_stream(size, rate, count);
    CHECK(lost <= count / 3);
  }

  /// A file of the guest.
  std::vector<unsigned char> fetch(const std::string& file) {
    std::string digits = guest.must_run("xxd -p " + file, 60s);  // in lines, which the console looks through
    std::erase_if(digits, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) == 0; });
    std::vector<unsigned char> bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
      bytes.push_back(static_cast<unsigned char>(std::stoi(digits.substr(at, 2), nullptr, 16)));
    }
    return bytes;
  }

  /// What the driver found fault with. When a stream stops, Linux 6.12 tells of each transfer that it takes back
  /// itself.
  std::string complaints() {
    return guest.run("dmesg | grep -E 'uvcvideo.*(ailed|rror|-[0-9]+)' | grep -v 'resubmit video URB (-1)'").output;
  }

  void end(Process& camera) {
    camera.signal(SIGTERM);
    CHECK(camera.wait_exit(5s).code == 0);
    CHECK_NOTHROW(guest.wait_for_line("usbloop-guest: usb remove 13d3:5406 path=1-1", 5s));
  }

  CaseDir dir;
  PlainGuest plain{dir, options()};
  GuestConsole& guest;
};

/// A JPEG picture of 320x240 with one brightness.
std::string grey_jpeg(int brightness) {
  const std::vector<unsigned char> pixels(320 * 240, static_cast<unsigned char>(brightness));
  const tjhandle library = ::tjInitCompress();
  unsigned char* made = nullptr;
  unsigned long length = 0;  // the library's type. NOLINT(google-runtime-int)
  REQUIRE(::tjCompress2(library, pixels.data(), 320, 0, 240, TJPF_GRAY, &made, &length, TJSAMP_GRAY, 80, 0) == 0);
  std::string bytes(reinterpret_cast<const char*>(made), length);
  ::tjFree(made);
  ::tjDestroy(library);
  return bytes;
}

/// The luma of a JPEG picture of 640x480; fails where the library finds fault with it.
std::vector<unsigned char> luma_of_jpeg(const std::vector<unsigned char>& jpeg) {
  std::vector<unsigned char> luma(640 * 480), blue(luma.size() / 2), red(luma.size() / 2);
  std::array<unsigned char*, 3> planes = {luma.data(), blue.data(), red.data()};
  const tjhandle library = ::tjInitDecompress();
  int width = 0, height = 0, subsampling = 0, colours = 0;
  REQUIRE(::tjDecompressHeader3(library, jpeg.data(), jpeg.size(), &width, &height, &subsampling, &colours) == 0);
  REQUIRE(width == 640);
  REQUIRE(height == 480);
  CHECK(::tjDecompressToYUVPlanes(library, jpeg.data(), jpeg.size(), planes.data(), width, nullptr, height, 0) == 0);
  ::tjDestroy(library);
  return luma;
}

/// For a person who reads the log: the picture as the guest has it, beside the log of ctest.
void show(const std::vector<unsigned char>& jpeg) {
  std::vector<unsigned char> rgb(std::size_t{640} * 480 * 3);
  const tjhandle library = ::tjInitDecompress();
  CHECK(::tjDecompress2(library, jpeg.data(), jpeg.size(), rgb.data(), 640, 0, 480, TJPF_RGB, 0) == 0);
  ::tjDestroy(library);
  fs::create_directories(fs::path(USBLOOP_PICTURE).parent_path());
  PngFile::write(USBLOOP_PICTURE, 640, 480, rgb);
  MESSAGE("a picture that the guest has captured: " << USBLOOP_PICTURE);
}

}  // namespace

TEST_CASE(
    "every picture that a guest captures by bulk is right, in each size, and streaming starts and stops at will") {
  Rig rig;
  Process camera = rig.plug("camera");
  CHECK(rig.capture("320 240", 30, 60) > 15);
  CHECK(rig.capture("640 480", 30, 90) > 10);
  const double slow = rig.capture("320 240", 5, 10);
  CHECK(slow > 4);
  CHECK(slow < 5.5);
  // MJPEG: the last picture is decoded here, and shows what the controls say. The pictures are small and so in time;
  // Linux leaves out what comes while the program has all of its four buffers.
  CHECK(rig.capture("1280 720", 30, 20, 10, "-m") > 3);
  CHECK(rig.capture("640 480", 30, 30, 10, "-m", "/tmp/plain.jpg") > 10);
  const auto jpeg = rig.fetch("/tmp/plain.jpg");
  CHECK(number_of_mjpeg(jpeg).value_or(0) >= 29U);
  const auto plain = luma_of_jpeg(jpeg);
  show(jpeg);
  rig.capture("640 480", 30, 3, 3, "-m -b 40 -c 16", "/tmp/changed.jpg");
  const auto changed = luma_of_jpeg(rig.fetch("/tmp/changed.jpg"));
  // The first bar is 180 in studio range: (180 - 126) / 2 + 126 + 40 is 193.
  constexpr std::size_t kInFirstBar = 100 * 640 + 40;
  CHECK(std::abs(plain[kInFirstBar] - 191) < 4);
  CHECK(std::abs(changed[kInFirstBar] - 206) < 4);
  for (int i = 0; i < 20; ++i) rig.capture("320 240", 15, 3);
  CHECK(rig.complaints() == "");
  rig.end(camera);
}

TEST_CASE("every picture that a guest captures by an isochronous stream is right") {
  Rig rig;
  Process camera = rig.plug("camera,transfers=isochronous");
  rig.capture_slow_stream("320 240", 15, 45);
  rig.capture_slow_stream("640 480", 5, 15);
  rig.capture_stream("320 240", 30, 60);
  rig.capture_stream("640 480", 30, 30);
  for (int i = 0; i < 20; ++i) rig.look("320 240", 30, 3);
  CHECK(rig.complaints() == "");
  rig.end(camera);
}

TEST_CASE("a guest gets the files of a directory as they are by MJPEG, and decoded by YUYV") {
  Rig rig;
  const fs::path frames = rig.dir.path() / "frames";
  fs::create_directory(frames);
  const std::string dark = grey_jpeg(50), light = grey_jpeg(200);
  std::ofstream(frames / "1.jpg", std::ios::binary) << dark;
  std::ofstream(frames / "2.jpg", std::ios::binary) << light;
  Process camera = rig.plug("camera,frames=" + frames.string());
  bool came_dark = false, came_light = false;
  for (int attempt = 0; attempt < 20 && !(came_dark && came_light); ++attempt) {  // Linux leaves some out
    rig.guest.must_run("/tools/capture -m /dev/video0 320 240 15 " + std::to_string(3 + attempt % 2) + " /tmp/last.jpg",
                       60s);
    const auto bytes = rig.fetch("/tmp/last.jpg");
    const std::string picture(bytes.begin(), bytes.end());
    CHECK((picture == dark || picture == light));
    came_dark = came_dark || picture == dark;
    came_light = came_light || picture == light;
  }
  CHECK(came_dark);
  CHECK(came_light);
  rig.guest.must_run("/tools/capture /dev/video0 320 240 15 3 /tmp/last.yuyv", 60s);
  CHECK(rig.guest.must_run("wc -c < /tmp/last.yuyv") == std::to_string(320 * 240 * 2));
  rig.guest.must_run("head -c 64 /tmp/last.yuyv > /tmp/begin");
  const auto first = rig.fetch("/tmp/begin");
  REQUIRE(first.size() == 64);
  const int luma = first[0];  // of studio range: 50 is 59 there, and 200 is 188
  CHECK((std::abs(luma - 59) < 3 || std::abs(luma - 188) < 3));
  for (std::size_t at = 0; at < first.size(); ++at) CHECK(std::abs(first[at] - (at % 2 == 0 ? luma : 128)) < 3);
  CHECK(rig.complaints() == "");
  rig.end(camera);
}
