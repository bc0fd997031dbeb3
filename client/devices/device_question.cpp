#include "client/devices/device_question.h"

#include <algorithm>
#include <charconv>
#include <istream>
#include <ostream>

#include "common/shown_text.h"

namespace usbloop::client {

namespace {

constexpr int kMostQuestions = 3;

/// The numbers 1 to `most` of an answer, each once, counted from 0; nothing when it says anything else.
std::optional<std::vector<std::size_t>> numbers_in(const std::string& answer, std::size_t most) {
  std::vector<std::size_t> numbers;
  const char* at = answer.data();
  const char* const last = at + answer.size();
  while (true) {
    while (at != last && (*at == ' ' || *at == ',' || *at == '\t' || *at == '\r')) ++at;
    if (at == last) break;
    std::size_t number = 0;
    const auto [end, code] = std::from_chars(at, last, number);
    const bool is_whole = end == last || *end == ' ' || *end == ',' || *end == '\t' || *end == '\r';
    if (code != std::errc{} || !is_whole || number < 1 || number > most) return std::nullopt;
    if (std::find(numbers.begin(), numbers.end(), number - 1) == numbers.end()) numbers.push_back(number - 1);
    at = end;
  }
  if (numbers.empty()) return std::nullopt;
  return numbers;
}

}  // namespace

std::optional<std::size_t> ask_number(const std::vector<std::string>& choices, std::istream& answers,
                                      std::ostream& questions) {
  for (std::size_t index = 0; index < choices.size(); ++index) {
    questions << "  " << index + 1 << ")  " << one_line(choices[index]) << "\n";
  }
  questions << "Which one? [1-" << choices.size() << "] " << std::flush;
  std::string answer;
  if (!std::getline(answers, answer)) return std::nullopt;
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(answer.data(), answer.data() + answer.size(), number);
  if (code != std::errc{} || end != answer.data() + answer.size()) return std::nullopt;
  if (number < 1 || number > choices.size()) return std::nullopt;
  return number - 1;
}

std::optional<Selector> ask_which(const std::vector<LocalDevice>& devices, const Selector& selector,
                                  std::istream& answers, std::ostream& questions) {
  const auto found = matching_devices(devices, selector);
  std::vector<std::string> choices;
  for (const auto index : found) choices.push_back(devices[index].line());
  questions << found.size() << " devices are " << one_line(to_string(selector)) << ":\n";
  const auto chosen = ask_number(choices, answers, questions);
  if (!chosen) return std::nullopt;
  const auto& place = devices[found[*chosen]].place;
  return Selector(BusDevice{place.bus, place.address});
}

Result<std::vector<Selector>> pick_devices(const std::vector<ListedDevice>& devices, const DevicePolicy& policy,
                                           std::istream& answers, std::ostream& questions) {
  std::vector<const ListedDevice*> offered;
  for (const auto& listed : devices) {
    if (!listed.device.hub && policy.check(listed.device)) offered.push_back(&listed);
  }
  if (offered.empty()) {
    return make_error(ErrorKind::not_found, "choose", "a device", "none is plugged in that may be redirected",
                      "The command list -o wide shows all. --emulate stick,image=FILE redirects an emulated device.");
  }
  questions << "The devices of this machine:\n";
  for (std::size_t index = 0; index < offered.size(); ++index) {
    const auto& listed = *offered[index];
    questions << "  " << index + 1 << ")  " << one_line(listed.device.line())
              << (listed.accessible ? "" : "  (you may not open it)") << "\n";
  }
  for (int question = 0; question < kMostQuestions; ++question) {
    questions << "Which ones? [1-" << offered.size() << "; several: 1 2] " << std::flush;
    std::string answer;
    if (!std::getline(answers, answer) || answer.find_first_not_of(" \t\r") == std::string::npos) break;
    const auto numbers = numbers_in(answer, offered.size());
    if (!numbers) continue;
    std::vector<Selector> chosen;
    for (const auto number : *numbers) {
      const auto& place = offered[number]->device.place;
      chosen.emplace_back(BusDevice{place.bus, place.address});
    }
    return chosen;
  }
  return make_error(ErrorKind::cancelled, "choose", "a device", "none was chosen");
}

}  // namespace usbloop::client
