#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/fd.h"

namespace usbloop::bench {

// Sockets for the programs of the bench. A failure is an exception (std::system_error) and ends the program: nobody
// depends on it.

/// Throws errno's text with WHAT before it.
[[noreturn]] void give_up(const char* what);

/// For main: runs it; an exception becomes a line on standard error and exit code 1.
int run_program(const std::function<void()>& program);

/// Listening, non-blocking. `path` relative to the working directory or absolute, short enough for an address.
Fd listen_unix(const std::string& path, int backlog);
/// On a free port of 127.0.0.1, non-blocking; the port in `port`.
Fd listen_tcp(std::uint16_t& port);
/// Connected; blocking.
Fd connect_unix_to(const std::string& path);
Fd connect_tcp_to(std::uint16_t port);
void set_nonblocking(int fd);
void set_nodelay(int fd);

/// Sends descriptors over a unix socket, with one byte; at most 8.
void send_fds(int socket, const int* fds, std::size_t count);
/// Takes what send_fds() sent; returns how many there are, 0 at the end of the stream, -1 when nothing is there.
int receive_fds(int socket, int* fds, std::size_t room);

/// Ends this process with its parent, and ignores SIGPIPE.
void live_with_parent();

}  // namespace usbloop::bench
