#include "launcher-sim/exit_watcher.h"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <memory>
#include <utility>

namespace usbloop::launcher {

void watch_exit(asio::io_context& loop, Fd pidfd, std::function<void()> ended) {
  auto held = std::make_shared<Fd>(std::move(pidfd));
  asio::post(loop, [&loop, held, ended = std::move(ended)] {
    auto descriptor = std::make_shared<asio::posix::stream_descriptor>(loop, held->release());
    descriptor->async_wait(asio::posix::stream_descriptor::wait_read,
                           [descriptor, ended](const asio::error_code& code) {
                             if (!code) ended();
                           });
  });
}

}  // namespace usbloop::launcher
