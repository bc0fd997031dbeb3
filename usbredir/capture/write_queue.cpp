#include "usbredir/capture/write_queue.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>

namespace usbloop::capture {

std::filesystem::path older_file(const std::filesystem::path& path) {
  auto name = path.stem();
  name += ".1";
  name += path.extension();
  return path.parent_path() / name;
}

class WriteQueue::Writer : public std::enable_shared_from_this<WriteQueue::Writer> {
 public:
  Writer(Fd file, std::size_t size, std::filesystem::path path, std::size_t room,
         std::function<void(const Error&)> trouble)
      : path_(std::move(path)),
        room_(room),
        trouble_(std::move(trouble)),
        file_(std::move(file)),
        whole_(static_cast<std::int64_t>(size)) {}

  void start() {
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
  }

  bool push(std::vector<Piece>&& pieces, Room room) {
    std::size_t size = 0;
    for (const Piece& piece : pieces) size += piece.size();
    {
      const std::lock_guard lock(mutex_);
      if (closing_ || failed_ || (room == Room::if_free && waiting_ + size > room_)) return false;
      waiting_ += size;
      std::move(pieces.begin(), pieces.end(), std::back_inserter(queue_));
    }
    changed_.notify_all();
    return true;
  }

  bool close(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    const bool ended = changed_.wait_for(lock, patience, [this] { return done_; });
    left_alone_ = !ended;
    lock.unlock();
    if (thread_.joinable()) ended ? thread_.join() : thread_.detach();
    return ended && !failed_;
  }

 private:
  void run() {
    while (true) {
      std::deque<Piece> pieces;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
        if (queue_.empty()) break;
        pieces.swap(queue_);
      }
      for (Piece& piece : pieces) write_piece(std::exchange(piece, {}));
    }
    const std::lock_guard lock(mutex_);
    file_.reset();
    done_ = true;
    changed_.notify_all();
  }

  void write_piece(const Piece& piece) {
    if (!failed_) {
      auto written = piece.begins_file ? begin_file() : Result<>();
      if (written) written = write_bytes(piece);
      if (!written) fail(written.error());
    }
    const std::lock_guard lock(mutex_);
    waiting_ -= piece.size();
  }

  Result<> begin_file() {
    if (std::rename(path_.c_str(), older_file(path_).c_str()) != 0) return make_errno_error("rename", path_);
    constexpr mode_t kOwnerOnly = 0600;
    file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnerOnly));
    if (!file_) return make_errno_error("create", path_);
    whole_ = 0;
    return {};
  }

  Result<> write_bytes(const Piece& piece) {
    std::array<iovec, 3> parts{};
    std::size_t count = 0;
    for (const auto* bytes : {&piece.before, &piece.data, &piece.after}) {
      if (!bytes->empty()) parts.at(count++) = {const_cast<std::byte*>(bytes->data()), bytes->size()};
    }
    auto left = std::span(parts).first(count);
    while (!left.empty()) {
      const ssize_t written = ::writev(file_.get(), left.data(), static_cast<int>(left.size()));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return make_errno_error("write", path_);
      auto done = static_cast<std::size_t>(written);
      while (!left.empty() && done >= left.front().iov_len) {
        done -= left.front().iov_len;
        left = left.subspan(1);
      }
      if (left.empty()) break;
      left.front().iov_base = static_cast<std::byte*>(left.front().iov_base) + done;
      left.front().iov_len -= done;
    }
    whole_ += static_cast<std::int64_t>(piece.size());
    return {};
  }

  /// The file keeps the pieces that are whole. A pipe cannot be cut, and has no more readers.
  void fail(const Error& error) {
    failed_ = true;
    static_cast<void>(::ftruncate(file_.get(), whole_));
    const std::lock_guard lock(mutex_);
    if (trouble_ && !left_alone_) trouble_(error);
  }

  const std::filesystem::path path_;
  const std::size_t room_;
  const std::function<void(const Error&)> trouble_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> queue_;
  std::size_t waiting_ = 0;  ///< bytes that are not written yet
  bool closing_ = false;
  bool done_ = false;
  bool left_alone_ = false;  ///< nobody waits for the thread any more
  std::atomic<bool> failed_{false};

  // Of the thread.
  Fd file_;
  std::int64_t whole_;  ///< size of the file up to the last whole piece
  std::thread thread_;
};

WriteQueue::WriteQueue(Fd file, std::size_t size, std::filesystem::path path, std::size_t room,
                       std::function<void(const Error&)> trouble)
    : writer_(std::make_shared<Writer>(std::move(file), size, std::move(path), room, std::move(trouble))) {
  writer_->start();
}

WriteQueue::~WriteQueue() { close(std::chrono::milliseconds(0)); }

bool WriteQueue::push(std::vector<Piece>&& pieces, Room room) { return writer_->push(std::move(pieces), room); }

bool WriteQueue::close(std::chrono::milliseconds patience) { return writer_->close(patience); }

}  // namespace usbloop::capture
