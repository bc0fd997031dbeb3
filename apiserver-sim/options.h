#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apiserver-sim/controllers/controller_options.h"

namespace usbloop::apiserver {

/// The command line.
struct Options {
  std::string data_dir;
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;          ///< 0: the port of the last start when it is free, else any
  std::vector<std::string> names;  ///< further names for the server certificate
  std::string kubeconfig;          ///< where the admin's goes; default: in data_dir
  std::string node_kubeconfig;
  std::chrono::seconds ping_interval{10};  ///< to clients whose websocket ends here
  std::chrono::seconds peer_timeout{30};
  std::chrono::microseconds busy_poll{1000};      ///< at most, while USB data flow; 0: never
  std::string token_auth_file;                    ///< further bearer tokens beside those of data_dir; empty: none
  std::string audit_log_path;                     ///< "-": standard output; empty: no audit log
  std::uint64_t audit_log_maxsize = 100;          ///< MiB; 0: one file for ever
  std::size_t audit_log_maxbackup = 10;           ///< files put aside that are kept; 0: all
  std::vector<std::string> cors_allowed_origins;  ///< regular expressions that Cors::make takes; empty: no CORS
  std::string log_level = "info";
  bool in_memory = false;
  bool set_aside_unreadable = false;  ///< start without stored objects that cannot be read
  int shutdown_grace_seconds = 1;     ///< for requests and relays when the server stops
  ControllerOptions controllers;
  std::vector<std::string> more_schemas = {};  ///< texts of schema files beside the server's own; no option sets them
};

/// Either the options or the exit code of a program that has said what there was to say (--help, --version, an error).
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;
};
/// `version`: what --version prints.
ParsedOptions parse_options(int argc, const char* const* argv, const std::string& version);

}  // namespace usbloop::apiserver
