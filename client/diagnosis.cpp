#include "client/diagnosis.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/shown_text.h"

namespace usbloop::client {

namespace {

const char* status_word(Check::Outcome outcome) {
  switch (outcome) {
    case Check::Outcome::ok: return "ok";
    case Check::Outcome::failed: return "failed";
    case Check::Outcome::not_checked: return "not checked";
  }
  return "";
}

std::string filled_to(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

constexpr std::size_t kStatusWidth = 13;
constexpr std::size_t kNameWidth = 13;
constexpr std::size_t kMostDetail = 512;

}  // namespace

void Diagnosis::ok(std::string name, std::string detail) {
  checks_.push_back({std::move(name), Check::Outcome::ok, one_line(detail, kMostDetail)});
}

void Diagnosis::failed(std::string name, std::string detail, std::string cure) {
  checks_.push_back({std::move(name), Check::Outcome::failed, one_line(detail, kMostDetail), shown_lines(cure)});
}

void Diagnosis::failed(std::string name, const Error& error) {
  const std::string object = error.object.empty() ? "" : error.object + ": ";
  failed(std::move(name), object + error.cause, error.hint);
}

void Diagnosis::not_checked(std::string name, std::string why) {
  checks_.push_back({std::move(name), Check::Outcome::not_checked, one_line(why, kMostDetail)});
}

bool Diagnosis::is_healthy() const {
  return std::none_of(checks_.begin(), checks_.end(),
                      [](const Check& check) { return check.outcome == Check::Outcome::failed; });
}

bool Diagnosis::is_ok(const std::string& name) const {
  return std::any_of(checks_.begin(), checks_.end(),
                     [&](const Check& check) { return check.name == name && check.outcome == Check::Outcome::ok; });
}

bool Diagnosis::has_failed(const std::string& name) const {
  return std::any_of(checks_.begin(), checks_.end(),
                     [&](const Check& check) { return check.name == name && check.outcome == Check::Outcome::failed; });
}

std::string render_lines(const Diagnosis& diagnosis) {
  std::string text;
  std::size_t failures = 0;
  for (const Check& check : diagnosis.checks()) {
    text +=
        filled_to(status_word(check.outcome), kStatusWidth) + filled_to(check.name, kNameWidth) + check.detail + "\n";
    if (check.outcome == Check::Outcome::failed) ++failures;
    std::string cure = check.cure;
    while (!cure.empty()) {
      const auto end = std::min(cure.find('\n'), cure.size());
      text += std::string(kStatusWidth + kNameWidth, ' ') + cure.substr(0, end) + "\n";
      cure.erase(0, end + 1);
    }
  }
  if (failures == 0) return text + "Nothing stands in the way.\n";
  return text + std::to_string(failures) + (failures == 1 ? " step" : " steps") + " failed.\n";
}

std::string render_json(const Diagnosis& diagnosis) {
  nlohmann::ordered_json all;
  all["healthy"] = diagnosis.is_healthy();
  all["checks"] = nlohmann::ordered_json::array();
  for (const Check& check : diagnosis.checks()) {
    const bool was_looked_at = check.outcome != Check::Outcome::not_checked;
    all["checks"].push_back({{"name", check.name},
                             {"status", was_looked_at ? status_word(check.outcome) : "notChecked"},
                             {"detail", check.detail},
                             {"cure", check.cure}});
  }
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace usbloop::client
