#include "client/client_config.h"

#include <cstdlib>

#include "common/ascii_text.h"
#include "common/shown_text.h"
#include "common/small_file.h"

namespace usbloop::client {

namespace {

constexpr std::size_t kMostBytes = 64 * 1024;

tl::unexpected<Error> wrong_line(const std::string& name, std::size_t number, const std::string& cause,
                                 const std::string& hint) {
  return make_error(ErrorKind::invalid, "read", name + ", line " + std::to_string(number), cause, hint);
}

Result<> read_line(std::string_view line, const std::string& name, std::size_t number, ClientConfig& config) {
  if (line.ends_with('\r')) line.remove_suffix(1);  // written on Windows
  line = trim(line);
  if (line.empty() || line.front() == '#') return {};
  const auto equals = line.find('=');
  const auto key = trim(line.substr(0, equals));
  if (equals == std::string_view::npos || key != "filter") {
    return wrong_line(name, number, "\"" + one_line(key, 40) + "\" is no setting",
                      "There is one setting: filter = RULES. Comments begin with #.");
  }
  const auto added = config.filter.add(trim(line.substr(equals + 1)));
  if (!added) return wrong_line(name, number, added.error().message(), added.error().hint);
  return {};
}

std::string environment_text(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<ClientConfig> parse_client_config(std::string_view text, const std::string& name) {
  ClientConfig config;
  if (text.size() > kMostBytes) {
    return make_error(ErrorKind::invalid, "read", name, "it is larger than " + std::to_string(kMostBytes) + " bytes");
  }
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (auto fine = read_line(text.substr(0, end), name, number, config); !fine) return tl::unexpected(fine.error());
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return config;
}

std::string client_config_path() {
  constexpr const char* kFile = "/usbloop/usbredir.conf";
  const auto xdg = environment_text("XDG_CONFIG_HOME");
  if (xdg.starts_with('/')) return xdg + kFile;
  const auto home = environment_text("HOME");
  return home.empty() ? "" : home + "/.config" + kFile;
}

Result<ClientConfig> load_client_config(const std::string& path) {
  if (path.empty()) return ClientConfig{};
  const auto text = read_small_file(path, kMostBytes);
  if (text) return parse_client_config(*text, path);
  if (text.error().kind == ErrorKind::not_found) return ClientConfig{};
  return tl::unexpected(text.error());
}

}  // namespace usbloop::client
