// Runs in a guest: captures pictures of an emulated camera by V4L2 and looks at each. Linked statically, since the
// guest has no libraries.
//
//     capture [-m] [-b BRIGHTNESS] [-c CONTRAST] /dev/video0 WIDTH HEIGHT RATE COUNT [FILE]
//
// with -m as MJPEG, prints `pictures=COUNT damaged=N lost=N milliseconds=T`, and writes the last picture to FILE. Ends
// with 1 when something does not work.
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "e2e/camera/pictures.h"

namespace {

constexpr std::uint32_t kBuffers = 4;

struct Wish {
  std::uint32_t width = 0, height = 0, rate = 0, count = 0, format = V4L2_PIX_FMT_YUYV;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void ask(int camera, unsigned long request, void* argument, const char* what) {
  if (::ioctl(camera, request, argument) < 0) fail(what);
}

void agree(int camera, const Wish& wish) {
  v4l2_format format{};
  format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  format.fmt.pix.width = wish.width;
  format.fmt.pix.height = wish.height;
  format.fmt.pix.pixelformat = wish.format;
  format.fmt.pix.field = V4L2_FIELD_NONE;
  ask(camera, VIDIOC_S_FMT, &format, "VIDIOC_S_FMT");
  v4l2_streamparm rate{};
  rate.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  rate.parm.capture.timeperframe = {1, wish.rate};
  ask(camera, VIDIOC_S_PARM, &rate, "VIDIOC_S_PARM");
  const bool as_wished = format.fmt.pix.width == wish.width && format.fmt.pix.height == wish.height &&
                         format.fmt.pix.pixelformat == wish.format;
  if (!as_wished) {
    std::fprintf(stderr, "the camera has %ux%u instead\n", format.fmt.pix.width, format.fmt.pix.height);
    std::exit(1);
  }
}

v4l2_buffer buffer_of(std::uint32_t index) {
  v4l2_buffer buffer{};
  buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  buffer.memory = V4L2_MEMORY_MMAP;
  buffer.index = index;
  return buffer;
}

std::vector<std::span<const unsigned char>> map_buffers(int camera) {
  v4l2_requestbuffers request{};
  request.count = kBuffers;
  request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  request.memory = V4L2_MEMORY_MMAP;
  ask(camera, VIDIOC_REQBUFS, &request, "VIDIOC_REQBUFS");
  std::vector<std::span<const unsigned char>> buffers;
  for (std::uint32_t i = 0; i < request.count; ++i) {
    v4l2_buffer buffer = buffer_of(i);
    ask(camera, VIDIOC_QUERYBUF, &buffer, "VIDIOC_QUERYBUF");
    void* place = ::mmap(nullptr, buffer.length, PROT_READ, MAP_SHARED, camera, buffer.m.offset);
    if (place == MAP_FAILED) fail("mmap");
    buffers.emplace_back(static_cast<const unsigned char*>(place), buffer.length);
    ask(camera, VIDIOC_QBUF, &buffer, "VIDIOC_QBUF");
  }
  return buffers;
}

void save(const char* file, std::span<const unsigned char> picture) {
  std::FILE* out = std::fopen(file, "wb");
  if (out == nullptr || std::fwrite(picture.data(), 1, picture.size(), out) != picture.size()) fail(file);
  if (std::fclose(out) != 0) fail(file);
}

void wait_for_picture(int camera) {
  pollfd waiting{camera, POLLIN, 0};
  const int ready = ::poll(&waiting, 1, 20'000);
  if (ready < 0) fail("poll");
  if (ready == 0) {
    std::fprintf(stderr, "no picture came in 20 s\n");
    std::exit(1);
  }
}

void look_at_pictures(int camera, const Wish& wish, const char* file) {
  const auto buffers = map_buffers(camera);
  int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  ask(camera, VIDIOC_STREAMON, &type, "VIDIOC_STREAMON");
  std::uint32_t damaged = 0, lost = 0, expected = 0;
  auto first = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < wish.count; ++i) {
    wait_for_picture(camera);
    v4l2_buffer buffer = buffer_of(0);
    ask(camera, VIDIOC_DQBUF, &buffer, "VIDIOC_DQBUF");
    if (i == 0) first = std::chrono::steady_clock::now();
    const auto picture = buffers.at(buffer.index).first(buffer.bytesused);
    const auto number =
        wish.format == V4L2_PIX_FMT_MJPEG ? number_of_mjpeg(picture) : number_of_yuyv(picture, wish.width, wish.height);
    if (!number || (buffer.flags & V4L2_BUF_FLAG_ERROR) != 0) ++damaged;
    if (number && *number != expected) lost += *number - expected;
    expected = number.value_or(expected) + 1;
    if (file != nullptr && i + 1 == wish.count) save(file, picture);
    ask(camera, VIDIOC_QBUF, &buffer, "VIDIOC_QBUF");
  }
  const auto time = std::chrono::steady_clock::now() - first;
  ask(camera, VIDIOC_STREAMOFF, &type, "VIDIOC_STREAMOFF");
  std::printf("pictures=%u damaged=%u lost=%u milliseconds=%lld\n", wish.count, damaged, lost,
              static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()));
}

void set_control(int camera, std::uint32_t id, const char* value) {
  if (value == nullptr) return;
  v4l2_control control{id, static_cast<std::int32_t>(std::strtol(value, nullptr, 10))};
  ask(camera, VIDIOC_S_CTRL, &control, "VIDIOC_S_CTRL");
}

std::uint32_t number(const char* text) { return static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)); }

}  // namespace

int main(int argc, char** argv) {
  Wish wish;
  const char *brightness = nullptr, *contrast = nullptr;
  for (int option = 0;
       (option = ::getopt(argc, argv, "mb:c:")) != -1;) {  // there is one thread. NOLINT(concurrency-mt-unsafe)
    if (option == 'm') wish.format = V4L2_PIX_FMT_MJPEG;
    if (option == 'b') brightness = optarg;
    if (option == 'c') contrast = optarg;
    if (option == '?') return 2;
  }
  char** const words = argv + optind;
  if (argc - optind < 5) {
    std::fprintf(stderr, "usage: capture [-m] [-b BRIGHTNESS] [-c CONTRAST] DEVICE WIDTH HEIGHT RATE COUNT [FILE]\n");
    return 2;
  }
  const int camera = ::open(words[0], O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (camera < 0) fail(words[0]);
  wish.width = number(words[1]);
  wish.height = number(words[2]);
  wish.rate = number(words[3]);
  wish.count = number(words[4]);
  set_control(camera, V4L2_CID_BRIGHTNESS, brightness);
  set_control(camera, V4L2_CID_CONTRAST, contrast);
  agree(camera, wish);
  look_at_pictures(camera, wish, argc - optind > 5 ? words[5] : nullptr);
}
