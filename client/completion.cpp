#include "client/completion.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "common/shown_text.h"

namespace usbloop::client {

namespace {

using Of = CompletionQuery::Of;

// cobra's directives.
constexpr int kFiles = 0;
constexpr int kNoSpace = 2;
constexpr int kNoFiles = 4;

constexpr std::size_t kMostWords = 64;
constexpr std::size_t kLongestDescription = 120;

std::string name_of(const CLI::Option& option) {
  return option.get_lnames().empty() ? option.get_name() : option.get_lnames().front();
}

/// The option that `word` names; null when it is none. `-nteam` and `--namespace=team` name one with its value.
const CLI::Option* option_of(const CLI::App& app, const std::string& word) {
  return word.size() > 1 && word.front() == '-' ? app.get_option_no_throw(word) : nullptr;
}

bool takes_value(const CLI::Option* option) { return option != nullptr && option->get_items_expected_min() > 0; }

/// What the values of an option are.
void query_value(const CLI::Option& option, CompletionQuery& query) {
  static const std::map<std::string, Of> kKinds = {
      {"namespace", Of::namespaces}, {"context", Of::contexts}, {"cluster", Of::clusters}, {"user", Of::users}};
  const std::string name = name_of(option);
  if (const auto kind = kKinds.find(name); kind != kKinds.end()) {
    query.of = kind->second;
  } else if (name == "output") {
    query.words = {{"json", ""}};
    if (!query.options.doctor) query.words.insert(query.words.end(), {{"wide", "a table"}, {"yaml", ""}});
  } else if (name == "transport") {
    query.words = {{"auto", "by the way to the server"}, {"uas", "a UAS disk"}, {"bulk-only", "the stick as it is"}};
  } else if (name == "emulate") {
    query.words = {{"stick,image=", "an emulated USB stick"},
                   {"stick,dir=", "a directory as an emulated USB stick"},
                   {"ssd,image=", "an emulated USB SSD"},
                   {"keyboard,text=", "an emulated keyboard that types"},
                   {"serial", "an emulated serial port that echoes"},
                   {"ftdi", "an emulated serial adapter that echoes"},
                   {"camera", "an emulated USB camera"},
                   {"microphone", "an emulated USB microphone with a tone"},
                   {"speaker,file=", "an emulated USB speaker, into a WAV file"},
                   {"network", "an emulated network adapter"},
                   {"smart-card,db=", "an emulated smart-card reader with a card"},
                   {"model,socket=", "a device that a program of yours models"},
                   {"replay,file=", "a device that was recorded"}};
    query.goes_on = true;
  } else if (option.get_type_name() == "FILE" || name == "launch") {
    query.of = Of::files;
  }
}

void query_flags(const CLI::App& app, CompletionQuery& query) {
  for (const auto* option : app.get_options()) {
    if (option->get_positional() || option->get_group().empty()) continue;
    for (const auto& name : option->get_lnames()) query.words.push_back({"--" + name, option->get_description()});
  }
}

void query_positional(const CLI::App& app, std::size_t index, bool as_virtctl, CompletionQuery& query) {
  if (as_virtctl && index == 0) {
    query.words = {{"usbredir", "redirect a USB device of this machine"}};
    return;
  }
  if (as_virtctl) --index;
  const Options& options = query.options;
  if (options.list || (options.give_back && index > 0)) return;
  const bool has_device = options.emulate.empty() && app.count("--no-launch") == 0;
  if (has_device && index == 0) {
    query.of = Of::devices;
    if (!options.give_back && !options.doctor) query.words = {{"list", "the devices of this machine"}};
  } else if (!options.doctor || index == (has_device ? 1U : 0U)) {
    query.of = Of::vmis;  // or one more device, which is the rarer wish
  }
}

/// The commands that stand before all else.
void query_first(CompletionQuery& query) {
  query.words.push_back({"doctor", "look at each step of a redirection"});
  query.words.push_back({"completion", "a script that teaches a shell these words"});
}

/// Reads the words before; what is wrong with them is not our affair here. Returns how many of them are no flags.
std::size_t read_words(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());
  app.allow_extras();
  try {
    app.parse(words);
  } catch (const CLI::Error&) {
    return 0;
  }
  std::size_t count = app.remaining_size();
  for (const auto* option : app.get_options()) {
    if (option->get_positional()) count += option->count();
  }
  return count;
}

bool is_plain(std::string_view word) {
  constexpr std::string_view kOthers = "._:/@=,+-%";
  return !word.empty() && std::all_of(word.begin(), word.end(), [&](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           kOthers.find(letter) != std::string_view::npos;
  });
}

}  // namespace

bool asks_for_completion(const std::vector<std::string>& arguments) {
  return !arguments.empty() && (arguments.front() == "__complete" || arguments.front() == "__completeNoDesc");
}

CompletionQuery completion_query(CLI::App& app, const Options& options, const std::vector<std::string>& arguments,
                                 bool as_virtctl) {
  CompletionQuery query;
  if (arguments.size() < 2 || arguments.size() > kMostWords) return query;
  const std::string& last = arguments.back();
  std::vector<std::string> before(arguments.begin() + 1, arguments.end() - 1);
  if (before == std::vector<std::string>{"completion"}) {
    query.words = {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
    query.begun = last;
    return query;
  }
  const bool is_first = before.empty() && !as_virtctl;
  query.options.doctor = !as_virtctl && !before.empty() && before.front() == "doctor";
  if (query.options.doctor) before.erase(before.begin());
  const CLI::Option* pending = before.empty() ? nullptr : option_of(app, before.back());
  if (takes_value(pending)) {
    before.pop_back();
  } else {
    pending = nullptr;
  }
  const std::size_t positionals = read_words(app, before);
  const bool is_doctor = query.options.doctor;
  query.options = options;
  query.options.doctor = is_doctor;
  query.begun = last;
  const auto equals = last.find('=');
  if (pending != nullptr) {
    query_value(*pending, query);
  } else if (last.starts_with("--") && equals != std::string::npos) {
    query.prefix = last.substr(0, equals + 1);
    query.begun = last.substr(equals + 1);
    if (const auto* option = option_of(app, last.substr(0, equals))) query_value(*option, query);
  } else if (last.starts_with("-")) {
    query_flags(app, query);
  } else {
    query_positional(app, positionals, as_virtctl, query);
    if (is_first) query_first(query);
  }
  return query;
}

std::string completion_text(const CompletionQuery& query, const std::vector<CompletionWord>& words) {
  std::string text;
  bool is_any = false;
  for (const auto* list : {&query.words, &words}) {
    for (const auto& [word, description] : *list) {
      if (!word.starts_with(query.begun) || !is_plain(word)) continue;
      is_any = true;
      text += query.prefix + word;
      if (const auto shown = one_line(description, kLongestDescription); !shown.empty()) text += "\t" + shown;
      text += "\n";
    }
  }
  const int directive = query.of == Of::files ? kFiles : kNoFiles + (is_any && query.goes_on ? kNoSpace : 0);
  return text + ":" + std::to_string(directive) + "\n";
}

}  // namespace usbloop::client
