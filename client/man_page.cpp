#include "client/man_page.h"

#include <map>
#include <sstream>
#include <vector>

#include "client/program_flags.h"

namespace usbloop::client {

namespace {

/// A text for troff: no line of it is a request, no dash becomes another character.
std::string for_troff(const std::string& text) {
  std::string out;
  bool at_line_start = true;
  for (const char letter : text) {
    if (at_line_start && (letter == '.' || letter == '\'')) out += "\\&";
    at_line_start = letter == '\n';
    if (letter == '\\') {
      out += "\\e";
    } else if (letter == '-') {
      out += "\\-";
    } else {
      out += letter;
    }
  }
  return out;
}

/// `-n, --namespace NAME`; `--launch[=PROGRAM]` for a flag that may have a value.
std::string heading(const CLI::Option& option) {
  std::string text;
  for (const auto& name : option.get_snames()) text += (text.empty() ? "" : ", ") + ("-" + name);
  for (const auto& name : option.get_lnames()) {
    text += (text.empty() ? "" : ", ") + ("--" + name) + ProgramFlags::optional_value("--" + name);
  }
  const bool takes_value = option.get_items_expected_min() > 0;
  if (takes_value && !option.get_type_name().empty()) text += " " + option.get_type_name();
  return text;
}

void add_options(const CLI::App& app, std::ostringstream& out) {
  std::vector<std::string> groups;
  std::map<std::string, std::string> texts;
  for (const auto* option : app.get_options()) {
    const std::string& group = option->get_group();
    if (option->get_positional() || group.empty()) continue;
    if (texts.find(group) == texts.end()) groups.push_back(group);
    texts[group] += ".TP\n.B " + for_troff(heading(*option)) + "\n" + for_troff(option->get_description()) + "\n";
  }
  for (const auto& group : groups) {
    if (group != groups.front()) out << ".SS " << for_troff(group) << "\n";
    out << texts[group];
  }
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& version) {
  std::ostringstream out;
  out << ".\\\" Made by the program: usbredir __man\n"
      << ".TH USBREDIR 1 \"\" \"" << for_troff(version) << "\" \"User Commands\"\n"
      << ".SH NAME\nusbredir, kubectl\\-usbredir \\- redirect a USB device into a virtual machine of KubeVirt\n"
      << ".SH SYNOPSIS\n"
      << ".B kubectl usbredir\n[\\fIOPTION\\fR]... \\fIDEVICE\\fR... \\fIVMI\\fR\n.br\n"
      << ".B kubectl usbredir list\n[\\fIOPTION\\fR]...\n.br\n"
      << ".B kubectl usbredir doctor\n[\\fIOPTION\\fR]... \\fIDEVICE\\fR \\fIVMI\\fR\n.br\n"
      << ".B kubectl usbredir completion\nbash|zsh|fish\n.PP\n"
      << ".B usbredir\nis the same program for those who have no kubectl.\n"
      << ".SH DESCRIPTION\n"
      << for_troff(app.get_description());
  for (const auto* option : app.get_options()) {
    if (!option->get_positional()) continue;
    out << ".TP\n.I " << for_troff(option->get_name()) << "\n" << for_troff(option->get_description()) << "\n";
  }
  out << ".SH OPTIONS\n";
  add_options(app, out);
  out << ".SH EXAMPLES AND EXIT STATUS\n.nf\n" << for_troff(app.get_footer()) << ".fi\n";
  out << ".SH ENVIRONMENT\n"
      << ".TP\n.B KUBECONFIG\nThe kubeconfig files, where \\-\\-kubeconfig names none.\n"
      << ".TP\n.B HTTPS_PROXY, HTTP_PROXY, NO_PROXY\nThe proxy to the API server, and what needs none.\n"
      << ".TP\n.B LIBUSB_DEBUG\nFrom 1 to 4: what libusb says.\n"
      << ".SH SEE ALSO\n.BR kubectl (1),\n.BR usbredirect (1),\n.BR lsusb (8)\n";
  return out.str();
}

}  // namespace usbloop::client
