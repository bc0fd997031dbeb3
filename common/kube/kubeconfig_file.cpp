#include "common/kube/kubeconfig_file.h"

#include <yaml-cpp/eventhandler.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/kube/encoding.h"

namespace usbloop::kube {

namespace {

constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;
constexpr std::size_t kMaxPemBytes = 1024 * 1024;
constexpr int kMaxDepth = 32;
constexpr int kMaxNodes = 200'000;

/// Walks the parser's events before a tree is made of them, so that hostile input costs no memory and no stack.
class Guard : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    count(mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "aliases are not accepted in a kubeconfig");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    enter(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    enter(mark);
  }
  void OnMapEnd() override { --depth_; }

 private:
  void count(const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) throw YAML::ParserException(mark, "too many values");
  }
  void enter(const YAML::Mark& mark) {
    count(mark);
    if (++depth_ > kMaxDepth) throw YAML::ParserException(mark, "nested too deeply");
  }

  int depth_ = 0;
  int nodes_ = 0;
};

YAML::Node parse(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Guard guard;
  parser.HandleNextDocument(guard);
  return YAML::Load(text);
}

std::string yaml_cause(const YAML::Exception& exception) {
  if (exception.mark.is_null()) return exception.msg;
  return "line " + std::to_string(exception.mark.line + 1) + ", column " + std::to_string(exception.mark.column + 1) +
         ": " + exception.msg;
}

const char* name_of(YAML::NodeType::value type) {
  switch (type) {
    case YAML::NodeType::Map: return "a mapping";
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Scalar: return "a plain value";
    default: return "nothing";
  }
}

std::string must_be(const char* wanted, const YAML::Node& found) {
  return std::string("must be ") + wanted + ", but is " + name_of(found.Type());
}

}  // namespace

Result<std::string> read_bounded(const std::string& path, std::size_t limit, const std::string& operation) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) {
    if (code && code != std::errc::no_such_file_or_directory && code != std::errc::not_a_directory) {
      return make_errno_error(operation, path, code.value());
    }
    return make_error(ErrorKind::not_found, operation, path, "no such file");
  }
  if (std::filesystem::is_directory(status))
    return make_error(ErrorKind::invalid, operation, path, "it is a directory");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return make_errno_error(operation, path, errno == 0 ? EIO : errno);
  std::string text;
  std::array<char, 16 * 1024> block{};
  while (stream.read(block.data(), block.size()) || stream.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > limit) {
      return make_error(ErrorKind::invalid, operation, path, "it is larger than " + std::to_string(limit) + " bytes");
    }
  }
  if (stream.bad()) return make_errno_error(operation, path, errno == 0 ? EIO : errno);
  return text;
}

Result<KubeconfigFile> read_kubeconfig_file(const std::string& path) {
  const auto text = read_bounded(path, kMaxFileBytes, "read kubeconfig");
  if (!text) return tl::unexpected(text.error());
  try {
    KubeconfigFile file{path, parse(*text)};
    if (!file.root.IsNull() && !file.root.IsMap()) {
      return make_error(ErrorKind::invalid, "read kubeconfig", path, must_be("a mapping", file.root),
                        "A kubeconfig has the fields clusters, users, contexts and current-context.");
    }
    return file;
  } catch (const YAML::Exception& exception) {
    return make_error(ErrorKind::invalid, "read kubeconfig", path, "not valid YAML: " + yaml_cause(exception),
                      "Mend that line, or get a new kubeconfig.");
  } catch (const std::exception& exception) {
    return make_error(ErrorKind::invalid, "read kubeconfig", path, exception.what());
  }
}

Section::Section(std::string file, std::string where, const YAML::Node& node)
    : file_(std::move(file)), where_(std::move(where)), node_(node) {}

tl::unexpected<Error> Section::error(const std::string& key, const std::string& cause, const std::string& hint) const {
  std::string field = where_;
  if (!field.empty() && !key.empty()) field += ".";
  field += key;
  return make_error(ErrorKind::invalid, "use kubeconfig", file_, field.empty() ? cause : field + ": " + cause, hint);
}

Result<> Section::check() const {
  if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) return error("", must_be("a mapping", node_));
  return {};
}

bool Section::has(const char* key) const {
  return node_.IsDefined() && node_.IsMap() && node_[key].IsDefined() && !node_[key].IsNull();
}

Result<YAML::Node> Section::value(const char* key) const {
  if (auto checked = check(); !checked) return tl::unexpected(checked.error());
  return has(key) ? node_[key] : YAML::Node();
}

Result<std::string> Section::text(const char* key) const {
  auto node = value(key);
  if (!node) return tl::unexpected(node.error());
  if (node->IsNull()) return std::string();
  if (!node->IsScalar()) return error(key, must_be("text", *node));
  const auto& text = node->Scalar();
  if (text.find('\0') != std::string::npos) return error(key, "has a NUL byte");
  return text;
}

Result<bool> Section::flag(const char* key) const {
  auto node = value(key);
  if (!node) return tl::unexpected(node.error());
  if (node->IsNull()) return false;
  bool flag = false;
  if (!node->IsScalar() || !YAML::convert<bool>::decode(*node, flag)) return error(key, "must be true or false");
  return flag;
}

Result<Section> Section::section(const char* key) const {
  auto node = value(key);
  if (!node) return tl::unexpected(node.error());
  Section inner(file_, where_.empty() ? key : where_ + "." + key, *node);
  if (auto checked = inner.check(); !checked) return tl::unexpected(checked.error());
  return inner;
}

Result<std::vector<YAML::Node>> Section::list(const char* key) const {
  auto node = value(key);
  if (!node) return tl::unexpected(node.error());
  if (!node->IsNull() && !node->IsSequence()) return error(key, must_be("a list", *node));
  return std::vector<YAML::Node>(node->begin(), node->end());
}

std::string Section::resolve(const std::string& path) const {
  // An absolute `path` replaces the left side of operator/.
  return (std::filesystem::path(file_).parent_path() / path).string();
}

Result<std::string> Section::pem(const char* key) const {
  const std::string data_key = std::string(key) + "-data";
  const auto data = text(data_key.c_str());
  if (!data) return tl::unexpected(data.error());
  if (!data->empty()) {
    auto decoded = base64_decode(*data);
    if (!decoded) return error(data_key, "is not base64");
    if (decoded->find("-----BEGIN ") == std::string::npos) return error(data_key, "has no PEM block");
    return *decoded;
  }
  const auto path = text(key);
  if (!path) return tl::unexpected(path.error());
  if (path->empty()) return std::string();
  auto content = read_bounded(resolve(*path), kMaxPemBytes, "read");
  if (!content) return error(key, content.error().message());
  if (content->find("-----BEGIN ") == std::string::npos) return error(key, resolve(*path) + " has no PEM block");
  return content;
}

}  // namespace usbloop::kube
