#include "e2e/harness/image.h"

#include <fstream>
#include <random>

#include "e2e/harness/digest.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {
namespace {

namespace fs = std::filesystem;

/// Runs a command to its end; the tools of file systems stand in sbin, which is not on everybody's PATH.
std::string run_tool(const fs::path& image, std::vector<std::string> argv) {
  const char* path = std::getenv("PATH");
  Process tool({.name = fs::path(argv[0]).filename().string() + "-" + image.filename().string(),
                .argv = std::move(argv),
                .log_dir = image.parent_path(),
                .env = {{"PATH", std::string(path != nullptr ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin"},
                        {"MTOOLS_SKIP_CHECK", "1"}}});
  const ExitStatus status = tool.wait_exit(30s);
  if (status.code != 0) throw Failure(tool.name() + ": " + status.text() + ": " + tool.output());
  return tool.out();
}

void make_empty_image(const fs::path& file, std::size_t size) {
  write_file(file, {});
  fs::resize_file(file, size);
}

fs::path stage_files(const fs::path& image, const std::map<std::string, std::string>& files) {
  const fs::path dir = image.string() + ".content";
  fs::create_directories(dir);
  for (const auto& [name, content] : files) write_file(dir / name, content);
  return dir;
}

}  // namespace

void write_file(const fs::path& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!stream.flush()) throw Failure("cannot write " + file.string());
}

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::string bytes;
  bytes.reserve(size + sizeof(std::uint64_t));
  while (bytes.size() < size) {
    const std::uint64_t word = generator();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

std::string make_random_image(const fs::path& file, std::size_t size, std::uint64_t seed) {
  const std::string bytes = random_bytes(size, seed);
  write_file(file, bytes);
  return sha256_of(bytes);
}

void make_ext4_image(const fs::path& file, std::size_t size, const std::map<std::string, std::string>& files) {
  make_empty_image(file, size);
  run_tool(file, {"mkfs.ext4", "-q", "-F", "-L", "USBLOOP", "-d", stage_files(file, files).string(), file.string()});
}

void make_fat_image(const fs::path& file, std::size_t size, const std::map<std::string, std::string>& files) {
  make_empty_image(file, size);
  run_tool(file, {"mkfs.vfat", "-n", "USBLOOP", file.string()});
  const fs::path dir = stage_files(file, files);
  for (const auto& [name, content] : files) {
    run_tool(file, {"mcopy", "-i", file.string(), (dir / name).string(), "::" + name});
  }
}

std::string read_from_ext4(const fs::path& image, const std::string& name) {
  const fs::path copy = image.string() + ".read";
  run_tool(image, {"debugfs", "-R", "dump /" + name + " " + copy.string(), image.string()});
  return read_file(copy);
}

std::string read_from_fat(const fs::path& image, const std::string& name) {
  const fs::path copy = image.string() + ".read";
  run_tool(image, {"mcopy", "-n", "-i", image.string(), "::" + name, copy.string()});
  return read_file(copy);
}

}  // namespace usbloop::e2e
