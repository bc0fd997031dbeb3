#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::fat {

/// A file or a directory, as it was when the tree was read.
struct Node {
  std::string name;
  std::uint32_t parent = 0;  ///< index of its directory
  bool is_directory = false;
  std::uint64_t size = 0;  ///< of a file, in bytes
  std::time_t modified = 0;
  dev_t device = 0;
  ino_t inode = 0;
  std::uint32_t first_child = 0;  ///< of a directory: its entries have consecutive indices, by name
  std::uint32_t children = 0;
};

/// All that is in a directory and below it, without the files' contents.
struct Tree {
  Fd root;                  ///< the directory
  std::string path;         ///< as it was given, for messages
  std::vector<Node> nodes;  ///< [0] is the directory itself; each stands behind its own directory

  /// Relative to the root.
  [[nodiscard]] std::string path_of(std::uint32_t node) const;
};

inline constexpr std::size_t kMostEntries = 65536;          ///< of a tree
inline constexpr std::uint64_t kLargestFile = 0xffff'ffff;  ///< bytes

/// Reads a tree that a FAT32 file system can hold. An Error (invalid) names what it cannot hold and why: a name, two
/// names that differ in case alone, a file that is too large, what is neither a file nor a directory, too many entries;
/// an unreadable file or directory is the system's Error.
Result<Tree> read_tree(const std::string& directory);

}  // namespace usbloop::fat
