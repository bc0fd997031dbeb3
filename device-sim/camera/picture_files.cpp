#include "device-sim/camera/picture_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "common/fd.h"
#include "common/small_file.h"
#include "device-sim/camera/jpeg_decoder.h"
#include "device-sim/camera/jpeg_head.h"

namespace usbloop::device_sim {
namespace {

namespace fs = std::filesystem;

constexpr auto kPictureOperation = "use the picture";

tl::unexpected<Error> refuse_picture(const std::string& path, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, kPictureOperation, path, std::move(cause), std::move(hint));
}

bool is_named_jpeg(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending == ".jpg" || ending == ".jpeg";
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  const auto failed = [&](const std::error_code& code) {
    return make_errno_error("read the pictures of", directory, code.value());
  };
  std::error_code code;
  std::vector<std::string> names;
  fs::directory_iterator entries(directory, code);
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) {
    if (!is_named_jpeg(entries->path())) continue;
    names.push_back(entries->path().string());
    if (names.size() > PictureFiles::kMostFiles) {
      return make_error(ErrorKind::invalid, "read the pictures of", directory,
                        "it has more than " + std::to_string(PictureFiles::kMostFiles));
    }
  }
  if (code) return failed(code);
  if (names.empty()) {
    return make_error(ErrorKind::invalid, "read the pictures of", directory, "no name in it ends in .jpg or .jpeg");
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> read_picture(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a pipe is refused and not waited for
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return make_errno_error(kPictureOperation, path);
  if (!S_ISREG(status.st_mode)) return refuse_picture(path, "it is no file");
  return read_small_file(fd.get(), path, PictureFiles::kMostFileBytes);
}

Result<> check_size(const std::string& path, PictureSize size) {
  const std::string text = std::to_string(size.width) + "x" + std::to_string(size.height);
  if (size.width < PictureFiles::kLeastSide || size.height < PictureFiles::kLeastSide ||
      size.pixels() > PictureFiles::kMostPixels) {
    return refuse_picture(path, "it has " + text + " pixels",
                          "A camera's pictures have 16x16 to 2,073,600 pixels, as 1920x1080 has.");
  }
  if (size.width % 2 != 0) return refuse_picture(path, "it has " + text + " pixels", "The width has to be even.");
  return {};
}

}  // namespace

Result<> PictureFiles::add(const std::string& path) {
  constexpr auto kConvert = "For example: convert PICTURE -interlace none -colorspace sRGB picture.jpg";
  const auto file = read_picture(path);
  if (!file) return tl::unexpected(file.error());
  const auto bytes = std::as_bytes(std::span(*file));
  const auto head = read_jpeg_head(bytes);
  if (!head) return refuse_picture(path, head.error(), kConvert);
  if (auto fine = check_size(path, head->size); !fine) return fine;
  if (files_.empty()) size_ = head->size;
  if (head->size.width != size_.width || head->size.height != size_.height) {
    const auto text = [](PictureSize size) { return std::to_string(size.width) + "x" + std::to_string(size.height); };
    return refuse_picture(path, "it has " + text(head->size) + " pixels, and the first picture " + text(size_),
                          "All have to have one size, which is the camera's.");
  }
  const auto picture = bytes.first(head->length);
  if (auto fine = JpegDecoder(size_).check(picture); !fine) return refuse_picture(path, fine.error().cause, kConvert);
  bytes_ += picture.size();
  if (bytes_ > kMostBytes) return refuse_picture(path, "the pictures have more than 256 MiB");
  most_bytes_ = std::max(most_bytes_, picture.size());
  files_.emplace_back(picture.begin(), picture.end());
  return {};
}

Result<std::shared_ptr<const PictureFiles>> PictureFiles::load(const std::string& path) {
  auto files = std::make_shared<PictureFiles>();
  std::error_code code;
  std::vector<std::string> names = {path};
  if (fs::is_directory(path, code)) {
    auto found = names_in(path);
    if (!found) return tl::unexpected(found.error());
    names = std::move(*found);
  }
  for (const std::string& name : names) {
    if (auto added = files->add(name); !added) return tl::unexpected(added.error());
  }
  return files;
}

}  // namespace usbloop::device_sim
