#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "client/options.h"

// What a shell asks for when a person presses Tab: the last word of a command line, begun or empty. It asks as cobra's
// programs are asked (usbredir __complete WORDS), which is also how kubectl asks its plugins.
namespace usbloop::client {

struct CompletionWord {
  std::string word;
  std::string description;
};

/// What can stand in the place of the word, as far as the command line says. Who answers looks it up.
struct CompletionQuery {
  enum class Of { words, files, devices, vmis, namespaces, contexts, clusters, users };
  Of of = Of::words;
  std::vector<CompletionWord> words;  ///< known already
  std::string prefix;                 ///< stands before all of them: `--namespace=`
  std::string begun;                  ///< what they begin with, behind the prefix
  bool goes_on = false;               ///< none of the words is whole: no space is wanted behind it
  Options options;                    ///< what the words before it say
};

/// Whether the arguments ask for that.
bool asks_for_completion(const std::vector<std::string>& arguments);

/// `arguments`: __complete and the words. `options` is what `app` fills. Pure.
CompletionQuery completion_query(CLI::App& app, const Options& options, const std::vector<std::string>& arguments,
                                 bool as_virtctl);

/// The lines that the shell reads: WORD, a tab, DESCRIPTION; and cobra's directive. Words that the shell would not take
/// as they stand are left out: some of them are a server's.
std::string completion_text(const CompletionQuery& query, const std::vector<CompletionWord>& words);

}  // namespace usbloop::client
