#pragma once

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "e2e/harness/api.h"

namespace usbloop::bench {

// The requests that are measured. All throw e2e::Failure when an answer is not the one that is expected.

/// A connection of its own, kept alive, for answers that may take a while.
std::unique_ptr<httplib::SSLClient> connect_patiently(const e2e::Api& api);
/// The body of an answer that must have that status.
std::string expect(const httplib::Result& result, int status);

/// "bench-0" and so on.
std::string vmi_name(std::size_t number);
/// Creates that many VMIs, for a node that is not there; returns when the last request is answered.
void create_vmis(const e2e::Api& api, std::size_t count, std::size_t clients);

/// Follows the writes after `version` until that many VMIs show that no node takes them: the controllers' last word.
void wait_for_settled_vmis(const e2e::Api& api, const std::string& version, std::size_t count,
                           std::chrono::milliseconds timeout);
/// The present version of the list of VMIs.
std::string list_version(httplib::SSLClient& client);
/// Number of Events in the namespace of the VMIs.
std::size_t count_events(httplib::SSLClient& client);

/// Reads the whole list, and returns its size in bytes.
std::size_t read_list(httplib::SSLClient& client);
/// Reads the list in pages; they must hold `expected` VMIs together.
void read_pages(httplib::SSLClient& client, std::size_t page, std::size_t expected);
/// Reads the list as `kubectl get` asks for it.
void read_table(httplib::SSLClient& client);
/// Reads VMIs one after the other, all over the list; the time of each in microseconds.
std::vector<double> read_singly(httplib::SSLClient& client, std::size_t vmis, std::size_t count);

}  // namespace usbloop::bench
