#include "client/device_question.h"

#include <charconv>
#include <istream>
#include <ostream>

#include "common/shown_text.h"

namespace usbloop::client {

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

std::optional<Selector> ask_which(const Selector& selector, std::istream& answers, std::ostream& questions) {
  const auto devices = UsbDevices::list();
  if (!devices) return std::nullopt;
  const auto found = matching_devices(devices->all(), selector);
  std::vector<std::string> choices;
  for (const auto index : found) choices.push_back(devices->all()[index].line());
  questions << found.size() << " devices are " << one_line(to_string(selector)) << ":\n";
  const auto chosen = ask_number(choices, answers, questions);
  if (!chosen) return std::nullopt;
  const auto& place = devices->all()[found[*chosen]].place;
  return Selector(BusDevice{place.bus, place.address});
}

}  // namespace usbloop::client
