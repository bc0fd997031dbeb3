#include "bench/machine.h"

#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace usbloop::bench {
namespace {

std::string processor_model() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace

nlohmann::json machine_facts() {
  utsname names{};
  ::uname(&names);
  return {{"processors", std::thread::hardware_concurrency()},
          {"model", processor_model()},
          {"memory_mib", ::sysconf(_SC_PHYS_PAGES) / 1024 * ::sysconf(_SC_PAGESIZE) / 1024},
          {"kernel", names.release},
          {"libssl", OpenSSL_version(OPENSSL_VERSION)}};
}

double rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", std::isfinite(value) ? value : 0.0);
  return std::strtod(text, nullptr);
}

nlohmann::json json_of(const Spread& spread) {
  return {{"median", rounded(spread.median)}, {"low", rounded(spread.low)}, {"high", rounded(spread.high)}};
}

std::string text_of(double value) {
  const int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string text_of(const Spread& spread) {
  return text_of(spread.median) + " [" + text_of(spread.low) + "-" + text_of(spread.high) + "]";
}

std::string others_text(const Spread& share) {
  char text[96];
  std::snprintf(text, sizeof text, "Others used %.0f %% of the machine (at most %.0f %%)", share.median * 100,
                share.high * 100);
  return std::string(text) + (share.median > 0.1 ? ": the figures are indicative only." : ".");
}

}  // namespace usbloop::bench
