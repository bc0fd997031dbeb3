#include "common/bounded_yaml.h"

#include <yaml-cpp/eventhandler.h>

#include <sstream>

namespace usbloop {

namespace {

/// Walks the parser's events before a tree is made of them, so that hostile input costs no memory and no stack.
class Guard : public YAML::EventHandler {
 public:
  explicit Guard(const YamlBounds& bounds) : bounds_(bounds) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    count(mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "aliases are not accepted in " + bounds_.what);
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
    if (++nodes_ > bounds_.nodes) throw YAML::ParserException(mark, "too many values");
  }
  void enter(const YAML::Mark& mark) {
    count(mark);
    if (++depth_ > bounds_.depth) throw YAML::ParserException(mark, "nested too deeply");
  }

  const YamlBounds& bounds_;
  int depth_ = 0;
  int nodes_ = 0;
};

}  // namespace

YAML::Node load_bounded_yaml(const std::string& text, const YamlBounds& bounds) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Guard guard(bounds);
  parser.HandleNextDocument(guard);
  return YAML::Load(text);
}

std::string yaml_cause(const YAML::Exception& exception) {
  if (exception.mark.is_null()) return exception.msg;
  return "line " + std::to_string(exception.mark.line + 1) + ", column " + std::to_string(exception.mark.column + 1) +
         ": " + exception.msg;
}

const char* name_of_yaml(YAML::NodeType::value type) {
  switch (type) {
    case YAML::NodeType::Map: return "a mapping";
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Scalar: return "a plain value";
    default: return "nothing";
  }
}

}  // namespace usbloop
