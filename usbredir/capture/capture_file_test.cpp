#include "usbredir/capture/capture_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "common/test_text.h"
#include "usbredir/capture/reader.h"
#include "usbredir/capture/test_support.h"
#include "usbredir/capture/tshark.h"

using namespace usbloop;
using namespace usbloop::capture;
using testing::contains;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct Contents {
  std::vector<Record> records;
  std::vector<Interface> interfaces;
  std::string error;
};

Contents contents_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  CaptureReader reader(in);
  Contents result;
  while (true) {
    auto record = reader.next();
    if (!record) result.error = record.error().message();
    if (!record || !*record) break;
    result.records.push_back(std::move(**record));
  }
  result.interfaces = reader.interfaces();
  return result;
}

Urb bulk(std::uint64_t id, Event event, std::size_t size) {
  Urb urb;
  urb.id = id;
  urb.event = event;
  urb.type = usbredir::TransferType::bulk;
  urb.endpoint = 0x81;
  urb.data.assign(size, std::byte{0x5a});
  urb.whole = size;
  urb.length = static_cast<std::uint32_t>(size);
  return urb;
}

/// Trouble, as it is told.
struct Complaint {
  void operator()(const Error& error) {
    const std::lock_guard lock(mutex);
    ++count;
    text = error.message();
  }
  std::mutex mutex;
  int count = 0;
  std::string text;
};

struct Desk {
  explicit Desk(CaptureOptions with = {}) : options(std::move(with)) {
    if (options.path.empty()) options.path = folder.path() / "stick.pcapng";
    auto created = CaptureFile::create(options, [this](const Error& error) { complaint(error); });
    REQUIRE(created);
    file = std::move(*created);
  }
  test::TestFolder folder;
  CaptureOptions options;
  Complaint complaint;
  std::unique_ptr<CaptureFile> file;
};

usbredir::DeviceDescription stick() {
  usbredir::DeviceDescription description;
  description.speed = usbredir::Speed::super;
  return description;
}

/// A limit for the size of this process' files.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t size) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    was_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{size, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, was_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*was_)(int) = nullptr;
};

}  // namespace

TEST_CASE("records are in the file in order, numbered by device, with times that do not go back") {
  Desk desk;
  auto& first = desk.file->add(stick());
  auto& second = desk.file->add(stick());
  desk.file->record(first, bulk(1, Event::submit, 0));
  desk.file->record(second, bulk(1, Event::submit, 0));
  desk.file->record(first, bulk(1, Event::complete, 1000));
  REQUIRE(desk.file->close(10s));
  const auto contents = contents_of(desk.options.path);
  CHECK(contents.error.empty());
  REQUIRE(contents.records.size() == 3);
  CHECK(contents.records[0].urb.device == 1);
  CHECK(contents.records[1].urb.device == 2);
  CHECK(contents.records[1].interface == 1);
  CHECK(contents.records[2].urb.data.size() == 1000);
  CHECK(contents.records[0].urb.time <= contents.records[2].urb.time);
  CHECK(contents.records[0].urb.time.count() > 1'700'000'000'000'000);
  REQUIRE(contents.interfaces.size() == 2);
  CHECK(contents.interfaces[0].speed == 5'000'000'000);
  CHECK(desk.complaint.count == 0);
}

TEST_CASE("what a stick holds is for its owner alone") {
  Desk desk;
  struct stat what {};
  REQUIRE(::stat(desk.options.path.c_str(), &what) == 0);
  CHECK((what.st_mode & 0777) == 0600);
}

TEST_CASE("a capture whose program was killed can be read: nothing waits for its end") {
  Desk desk;
  auto& device = desk.file->add(stick());
  for (std::uint64_t id = 1; id <= 100; ++id) desk.file->record(device, bulk(id, Event::submit, 10'000));
  // The file is read while it is written; nobody has closed it.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  std::size_t seen = 0;
  while (seen < 100 && std::chrono::steady_clock::now() < deadline) {
    const auto contents = contents_of(desk.options.path);
    CHECK(contents.error.empty());
    CHECK(contents.records.size() >= seen);
    seen = contents.records.size();
  }
  CHECK(seen == 100);
}

TEST_CASE("a capture of limited size keeps the newest, and each file begins with what it needs") {
  Desk desk({.size = kLeastCaptureSize});
  auto& device = desk.file->add(stick());
  test::HandMadeSession session([&](Urb&& urb) { desk.file->record(device, std::move(urb)); });
  const auto descriptor = test::bytes({18, 1, 0, 2, 0, 0, 0, 64, 0x51, 9, 0x66, 0x16, 0, 1, 1, 2, 3, 1});
  session.control_in(0x80, 6, 0x0100, 0, 18, descriptor);
  session.set_configuration(1);
  constexpr std::uint64_t kRecords = 400;
  for (std::uint64_t id = 1; id <= kRecords; ++id) {
    // The disk of a machine under test may be slow; nothing is to be lost here.
    while (true) {
      const auto before = desk.file->counts().lost;
      desk.file->record(device, bulk(id, Event::complete, 100'000));
      if (desk.file->counts().lost == before) break;
    }
  }
  desk.file->remove(device);
  REQUIRE(desk.file->close(20s));
  const fs::path older = older_file(desk.options.path);
  CHECK(older.filename() == "stick.1.pcapng");
  CHECK(fs::file_size(older) + fs::file_size(desk.options.path) <= kLeastCaptureSize);
  CHECK(fs::file_size(older) > kLeastCaptureSize / 2 - 200'000);
  std::uint64_t last = 0;
  for (const auto& path : {older, desk.options.path}) {
    const auto contents = contents_of(path);
    CHECK(contents.error.empty());
    REQUIRE(contents.records.size() > 4);
    CHECK(contents.records[0].urb.setup == Setup{0x80, 6, 0, 1, 0, 0, 18, 0});
    CHECK(contents.records[1].urb.data == descriptor);
    CHECK(contents.records[2].urb.setup == Setup{0, 9, 1, 0, 0, 0, 0, 0});
    if (last > 0) CHECK(contents.records[4].urb.id == last + 1);
    last = contents.records.back().urb.id;
  }
  CHECK(last == kRecords);
}

TEST_CASE("a reader that takes nothing costs records, which are counted, and no time and no memory") {
  Desk desk;
  const fs::path pipe = desk.folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  Fd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  REQUIRE(reader);
  CaptureOptions options;
  options.path = pipe;
  options.room = 1024 * 1024;
  auto file = CaptureFile::create(options, nullptr);
  REQUIRE(file);
  auto& device = (*file)->add(stick());
  constexpr std::uint64_t kRecords = 300;
  for (std::uint64_t id = 1; id <= kRecords; ++id) (*file)->record(device, bulk(id, Event::submit, 10'000));
  const auto counts = (*file)->counts();
  CHECK(counts.records == kRecords);
  CHECK(counts.lost >= kRecords - 120);  // the pipe and the room take 1.1 MiB
  // Now it reads: the rest comes, and says what is missing before it.
  REQUIRE(::fcntl(reader.get(), F_SETFL, 0) == 0);
  std::string all;
  std::thread drain([&] {
    std::vector<char> buffer(65'536);
    ssize_t count = 0;
    while ((count = ::read(reader.get(), buffer.data(), buffer.size())) > 0)
      all.append(buffer.data(), static_cast<std::size_t>(count));
  });
  std::uint64_t lost = counts.lost;
  std::uint64_t id = kRecords;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  do {
    lost = (*file)->counts().lost;
    (*file)->record(device, bulk(++id, Event::submit, 10'000));
  } while ((*file)->counts().lost > lost && std::chrono::steady_clock::now() < deadline);
  REQUIRE((*file)->close(20s));
  drain.join();
  std::istringstream in(all);
  CaptureReader records(in);
  std::uint64_t missing = 0;
  std::uint64_t seen = 0;
  for (auto record = records.next(); record && *record; record = records.next()) {
    missing += (*record)->lost;
    ++seen;
  }
  CHECK(missing == (*file)->counts().lost);
  CHECK(seen + missing == (*file)->counts().records);
}

TEST_CASE("a full disk is told once, ends the capture and nothing else, and leaves whole records") {
  constexpr rlim_t kRoom = 50'000;
  Desk desk;
  auto& device = desk.file->add(stick());
  {
    const FileSizeLimit limit(kRoom);
    for (std::uint64_t id = 1; id <= 100; ++id) desk.file->record(device, bulk(id, Event::submit, 1000));
    CHECK_FALSE(desk.file->close(10s));
  }
  CHECK(desk.complaint.count == 1);
  CHECK(contains(desk.complaint.text, "cannot write " + desk.options.path.string() + ": File too large"));
  const auto contents = contents_of(desk.options.path);
  CHECK(contents.error.empty());
  CHECK(contents.records.size() > 40);
  CHECK(contents.records.size() < 50);
  CHECK(fs::file_size(desk.options.path) > 45'000);
}

TEST_CASE("a place that cannot be written is refused before anything begins") {
  CaptureOptions options;
  options.path = "/nowhere/at/all.pcapng";
  const auto nowhere = CaptureFile::create(options, nullptr);
  REQUIRE_FALSE(nowhere);
  CHECK(contains(nowhere.error().message(), "cannot capture to /nowhere/at/all.pcapng: No such file or directory"));
  options.path = "/dev/full";
  const auto full = CaptureFile::create(options, nullptr);
  REQUIRE_FALSE(full);
  CHECK(contains(full.error().message(), "cannot capture to /dev/full: No space left on device"));
  options.path = "/dev/null";
  options.size = kLeastCaptureSize;
  const auto device = CaptureFile::create(options, nullptr);
  REQUIRE_FALSE(device);
  CHECK(device.error().kind == ErrorKind::invalid);
}
