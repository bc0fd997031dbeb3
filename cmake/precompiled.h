// What most files of the tests and of the sanitizer builds include, read once (cmake/Precompiled.cmake). The programs
// that people run are compiled without it, so a file that forgets an include is found there.
#pragma once

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

// With clang the precompiled header has an object file of its own, which holds its instantiations (Precompiled.cmake);
// with GCC precompiled.cpp holds them.
#ifdef __clang__
#define USBLOOP_TEMPLATE template
#else
#define USBLOOP_TEMPLATE extern template
#endif
#include "cmake/precompiled_templates.h"
#undef USBLOOP_TEMPLATE
