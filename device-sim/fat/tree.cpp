#include "device-sim/fat/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <map>
#include <memory>
#include <utility>

#include "device-sim/fat/names.h"

namespace usbloop::fat {
namespace {

constexpr auto kOperation = "show as a file system";

auto refuse(const std::string& path, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, kOperation, path, std::move(cause), std::move(hint));
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

/// Reads one directory after the other, the outer ones first.
class Reader {
 public:
  explicit Reader(Tree& tree) : tree_(tree) {}

  Result<> read_directory(std::uint32_t index) {
    const std::string path = tree_.path_of(index);
    const std::string shown = shown_path(path);
    if (path.size() >= PATH_MAX) return refuse(shown, "its path is too long");
    Fd fd(
        ::openat(tree_.root.get(), path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return make_errno_error(kOperation, shown);
    const Directory directory(::fdopendir(fd.get()));
    if (!directory) return make_errno_error(kOperation, shown);
    const int number = fd.release();  // the directory's now
    auto names = names_of(directory.get(), shown);
    if (!names) return tl::unexpected(names.error());
    tree_.nodes[index].first_child = static_cast<std::uint32_t>(tree_.nodes.size());
    tree_.nodes[index].children = static_cast<std::uint32_t>(names->size());
    for (std::string& name : *names) {
      if (auto added = add(number, index, std::move(name), shown); !added) return added;
    }
    return check_case(index, shown);
  }

 private:
  std::string shown_path(const std::string& path) const { return path.empty() ? tree_.path : tree_.path + "/" + path; }

  Result<std::vector<std::string>> names_of(DIR* directory, const std::string& shown) const {
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) {  // nobody else uses it. NOLINT(concurrency-mt-unsafe)
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      names.push_back(std::move(name));
      if (tree_.nodes.size() + names.size() > kMostEntries) {
        return refuse(tree_.path, "it has more than " + std::to_string(kMostEntries - 1) + " files and directories",
                      "Choose a directory with fewer.");
      }
      errno = 0;
    }
    if (errno != 0) return make_errno_error(kOperation, shown);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<> add(int directory, std::uint32_t parent, std::string name, const std::string& above) {
    const std::string shown = above + "/" + name;
    if (const std::string cause = why_unfit(name); !cause.empty()) {
      return refuse(shown, cause, "A FAT file system cannot hold it: rename it or move it away.");
    }
    struct stat status {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return make_errno_error(kOperation, shown);
    }
    const bool is_directory = S_ISDIR(status.st_mode);
    if (!is_directory && !S_ISREG(status.st_mode)) {
      return refuse(shown, S_ISLNK(status.st_mode) ? "it is a symbolic link, of which FAT has none"
                                                   : "it is neither a file nor a directory");
    }
    const auto size = is_directory ? 0 : static_cast<std::uint64_t>(status.st_size);
    if (size > kLargestFile) {
      return refuse(shown,
                    "its size of " + std::to_string(size) + " bytes is more than the 4294967295 that FAT32 holds");
    }
    if (::faccessat(directory, name.c_str(), is_directory ? R_OK | X_OK : R_OK, AT_EACCESS) != 0) {
      return make_errno_error(kOperation, shown);
    }
    tree_.nodes.push_back({.name = std::move(name),
                           .parent = parent,
                           .is_directory = is_directory,
                           .size = size,
                           .modified = status.st_mtime,
                           .device = status.st_dev,
                           .inode = status.st_ino});
    return {};
  }

  Result<> check_case(std::uint32_t index, const std::string& shown) const {
    std::map<std::u16string, std::string> seen;
    const Node& directory = tree_.nodes[index];
    for (std::uint32_t i = 0; i < directory.children; ++i) {
      const std::string& name = tree_.nodes[directory.first_child + i].name;
      const auto [there, added] = seen.emplace(folded(to_utf16(name).value_or(u"")), name);
      if (!added)
        return refuse(shown, "'" + there->second + "' and '" + name + "' differ in case alone: one name in FAT");
    }
    return {};
  }

  Tree& tree_;
};

}  // namespace

std::string Tree::path_of(std::uint32_t node) const {
  if (node == 0) return "";
  std::string found = nodes[node].name;
  for (std::uint32_t above = nodes[node].parent; above != 0; above = nodes[above].parent) {
    found.insert(0, nodes[above].name + "/");
  }
  return found;
}

Result<Tree> read_tree(const std::string& directory) {
  Tree tree;
  tree.path = directory;
  tree.root.reset(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!tree.root || ::fstat(tree.root.get(), &status) != 0) return make_errno_error(kOperation, directory);
  tree.nodes.push_back({.name = "", .is_directory = true, .modified = status.st_mtime});
  Reader reader(tree);
  for (std::uint32_t i = 0; i < tree.nodes.size(); ++i) {
    if (!tree.nodes[i].is_directory) continue;
    if (auto read = reader.read_directory(i); !read) return tl::unexpected(read.error());
  }
  return tree;
}

}  // namespace usbloop::fat
