#include "kube-sim/security/token_file.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace usbloop::apiserver {
namespace {

/// Splits one line of CSV (RFC 4180: fields may be quoted, "" is a quote in them). Nothing when a quote does not end.
std::optional<std::vector<std::string>> split_csv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

std::vector<std::string> split_groups(std::string_view text) {
  std::vector<std::string> groups;
  while (!text.empty()) {
    const std::string_view group = text.substr(0, text.find(','));
    text.remove_prefix(std::min(group.size() + 1, text.size()));
    const auto first = group.find_first_not_of(' ');
    if (first == std::string_view::npos) continue;
    groups.emplace_back(group.substr(first, group.find_last_not_of(' ') - first + 1));
  }
  return groups;
}

std::string new_token() {
  std::array<unsigned char, 32> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string token;
  for (const unsigned char byte : bytes) {
    token += kHex[byte >> 4U];
    token += kHex[byte & 15U];
  }
  return token;
}

}  // namespace

Result<Tokens> parse_token_file(const std::string& path, const std::string& text) {
  Tokens tokens;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto fields = split_csv(line);
    if (!fields || fields->size() < 3 || (*fields)[0].empty() || (*fields)[1].empty()) {
      return make_error(ErrorKind::invalid, "read the token file", path + ", line " + std::to_string(number),
                        "not of the form token,user,uid,\"group1,group2\"");
    }
    User user{(*fields)[1], (*fields)[2], fields->size() > 3 ? split_groups((*fields)[3]) : std::vector<std::string>()};
    tokens[(*fields)[0]] = std::move(user);
  }
  if (tokens.empty()) return make_error(ErrorKind::invalid, "read the token file", path, "it holds no token");
  return tokens;
}

Result<> add_tokens(const std::string& path, const Tokens& more, Tokens& tokens) {
  for (const auto& [token, user] : more) {
    if (tokens.emplace(token, user).second) continue;
    return make_error(ErrorKind::conflict, "take in the token file", path,
                      "the token of user " + user.name + " is another user's already");
  }
  return {};
}

std::string new_token_file(const std::string& node_user) {
  return new_token() + ",kubernetes-admin,admin,\"system:masters\"\n" + new_token() + "," + node_user +
         ",node,\"system:nodes\"\n" + new_token() + ",editor,editor,\"" + kEditorsGroup + "\"\n" + new_token() +
         ",viewer,viewer,\"" + kViewersGroup + "\"\n";
}

}  // namespace usbloop::apiserver
