#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

namespace usbloop::fuzz {
namespace {

namespace fs = std::filesystem;
using Input = std::vector<std::byte>;

std::vector<Input> read_corpus(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Input> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    inputs.emplace_back(data, data + text.size());
  }
  return inputs;
}

void mutate(Input& input, std::mt19937& random) {
  for (unsigned change = 1 + random() % 4; change > 0 && !input.empty(); --change) {
    const auto at = static_cast<std::ptrdiff_t>(random() % input.size());
    switch (random() % 4) {
      case 0: input[static_cast<std::size_t>(at)] = static_cast<std::byte>(random()); break;
      case 1: input[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1U << random() % 8); break;
      case 2: input.insert(input.begin() + at, static_cast<std::byte>(random())); break;
      default: input.erase(input.begin() + at);
    }
  }
}

}  // namespace

void replay(const std::string& corpus, const Target& target, int mutations) {
  const auto inputs = read_corpus(corpus);
  REQUIRE(inputs.size() >= 3);
  std::mt19937 random(7);
  for (const Input& input : inputs) {
    target(input);
    for (int i = 0; i < mutations; ++i) {
      Input mutated = input;
      mutate(mutated, random);
      target(mutated);
    }
  }
}

}  // namespace usbloop::fuzz
