#include "kube-sim/schema/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kMostErrors = 100;  // as kube-apiserver

/// Follows the parser through the text and remembers the names seen in the objects that are open.
class DuplicateFinder final : public json::json_sax_t {
 public:
  std::vector<std::string> take() { return std::move(found_); }

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

  bool key(string_t& name) override {
    Level& level = levels_.back();
    level.step = (levels_.size() > 1 ? "." : "") + name;
    if (!level.names.insert(name).second && found_.size() < kMostErrors) {
      found_.push_back("duplicate field " + field::quoted(path()));
    }
    return true;
  }

 private:
  struct Level {
    bool is_array = false;
    std::size_t index = 0;
    std::string step;  ///< to the value being read
    std::set<std::string> names;
  };

  /// A value begins: in an array that is the next item.
  void begin() {
    if (levels_.empty() || !levels_.back().is_array) return;
    levels_.back().step = "[" + std::to_string(levels_.back().index++) + "]";
  }
  bool value() {
    begin();
    return true;
  }
  bool open(bool is_array) {
    begin();
    levels_.push_back({is_array, 0, {}, {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }
  [[nodiscard]] std::string path() const {
    std::string text;
    for (const Level& level : levels_) text += level.step;
    return text;
  }

  std::vector<Level> levels_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> duplicate_fields(std::string_view json_text) {
  DuplicateFinder finder;
  if (!json::sax_parse(json_text, &finder)) return {};
  return finder.take();
}

}  // namespace usbloop::apiserver
