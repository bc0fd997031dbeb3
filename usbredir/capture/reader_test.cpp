#include "usbredir/capture/reader.h"

#include <doctest/doctest.h>

#include <cstring>
#include <sstream>

#include "common/test_text.h"
#include "usbredir/capture/test_support.h"

using namespace usbloop;
using namespace usbloop::capture;
using testing::contains;

namespace {

void append(std::string& text, const std::vector<std::byte>& bytes) {
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string file_of(const std::vector<Urb>& urbs) {
  std::string file;
  append(file, section_block("a test"));
  append(file, interface_block({"usbloop1", "0951:1666 \"Stick\"", 480'000'000}));
  for (const Urb& urb : urbs) {
    const auto frame = packet_frame(0, urb, urb.id == 3 ? 17 : 0);
    append(file, frame.before);
    append(file, urb.data);
    append(file, frame.after);
  }
  append(file, statistics_block(0, {}, 5, 1));
  return file;
}

std::vector<Urb> camera() {
  std::vector<Urb> urbs;
  test::HandMadeSession session([&](Urb&& urb) { urbs.push_back(std::move(urb)); });
  test::play_camera(session);
  std::int64_t time = 1'700'000'000'999'990;
  for (Urb& urb : urbs) urb.time = std::chrono::microseconds(++time);
  return urbs;
}

struct Reading {
  std::vector<Record> records;
  std::string error;
  bool cut = false;
};

Reading read_all(const std::string& file) {
  std::istringstream in(file);
  CaptureReader reader(in);
  Reading result;
  while (true) {
    auto record = reader.next();
    if (!record) result.error = record.error().message();
    if (!record || !*record) break;
    result.records.push_back(std::move(**record));
  }
  result.cut = reader.is_cut();
  return result;
}

void put(std::string& file, std::size_t at, std::uint32_t value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

}  // namespace

TEST_CASE("what was written is read again, field by field") {
  const auto urbs = camera();
  const auto reading = read_all(file_of(urbs));
  CHECK(reading.error.empty());
  CHECK_FALSE(reading.cut);
  REQUIRE(reading.records.size() == urbs.size());
  for (std::size_t i = 0; i < urbs.size(); ++i) {
    const Urb& was = urbs[i];
    const Urb& is = reading.records[i].urb;
    CAPTURE(i);
    CHECK(is.id == was.id);
    CHECK(is.event == was.event);
    CHECK(is.type == was.type);
    CHECK(is.endpoint == was.endpoint);
    CHECK(is.setup == was.setup);
    CHECK(is.time == was.time);
    CHECK(is.status == was.status);
    CHECK(is.length == was.length);
    CHECK(is.data == was.data);
    CHECK(is.whole == was.whole);
    CHECK(is.comment == was.comment);
    CHECK(reading.records[i].lost == (was.id == 3 ? 17 : 0));
    REQUIRE(is.packets.size() == was.packets.size());
    for (std::size_t packet = 0; packet < is.packets.size(); ++packet) {
      CHECK(is.packets[packet].status == was.packets[packet].status);
      CHECK(is.packets[packet].offset == was.packets[packet].offset);
      CHECK(is.packets[packet].length == was.packets[packet].length);
    }
  }
}

TEST_CASE("the interface is told as it was written") {
  std::istringstream in(file_of({}));
  CaptureReader reader(in);
  const auto end = reader.next();
  REQUIRE(end);
  CHECK_FALSE(*end);
  REQUIRE(reader.interfaces().size() == 1);
  CHECK(reader.interfaces()[0].name == "usbloop1");
  CHECK(reader.interfaces()[0].description == "0951:1666 \"Stick\"");
  CHECK(reader.interfaces()[0].speed == 480'000'000);
}

TEST_CASE("a file that is cut anywhere gives all that is whole") {
  auto urbs = camera();
  urbs.resize(6);
  const std::string file = file_of(urbs);
  const std::size_t first_blocks = file_of({}).size() - statistics_block(0, {}, 5, 1).size();
  std::size_t most = 0;
  for (std::size_t size = 0; size < file.size(); ++size) {
    CAPTURE(size);
    const auto reading = read_all(file.substr(0, size));
    CHECK(reading.records.size() >= most);
    most = reading.records.size();
    if (size >= first_blocks) CHECK(reading.error.empty());
    if (size < 8) CHECK(contains(reading.error, "no pcapng file"));
  }
  CHECK(most == urbs.size());
}

TEST_CASE("what is no capture, and what is broken, is refused with its place") {
  const std::string good = file_of(camera());
  const std::size_t interface_at = section_block("a test").size();
  const std::size_t record_at = interface_at + interface_block({"usbloop1", "0951:1666 \"Stick\"", 1}).size();
  const auto error_of = [&](std::size_t at, std::uint32_t value) {
    std::string bad = good;
    put(bad, at, value);
    return read_all(bad).error;
  };
  CHECK(contains(read_all("this is a text and no capture").error, "no pcapng file"));
  CHECK(contains(error_of(8, 0x4d3c2b1a), "byte order"));
  CHECK(contains(error_of(12, 2), "version"));
  CHECK(contains(error_of(record_at + 4, 0xfffffff0), "longer than the limit of 16777216"));
  CHECK(contains(error_of(record_at + 4, 13), "at byte " + std::to_string(record_at)));
  CHECK(contains(error_of(record_at + 4, 0), "a block of 0 bytes"));
  CHECK(contains(error_of(record_at + 8, 9), "interface that was not described"));
  CHECK(contains(error_of(record_at + 20, 0x10000), "longer than its block"));
  CHECK(contains(error_of(record_at + 20, 63), "ends within its header"));
  CHECK(contains(error_of(record_at + 28 + 8, 0x00000100), "unknown event"));
  CHECK(contains(error_of(record_at + 28 + 8, 0x00000953), "unknown type"));
  CHECK(contains(error_of(record_at + 28 + 24, 2'000'000), "a time that is none"));
}

TEST_CASE("records of other link types are passed over") {
  std::string file = file_of(camera());
  const std::size_t interface_at = section_block("a test").size();
  put(file, interface_at + 8, 1);  // Ethernet
  const auto reading = read_all(file);
  CHECK(reading.error.empty());
  CHECK(reading.records.empty());
}

TEST_CASE("more isochronous packets than there are bytes are refused") {
  Urb urb;
  urb.type = usbredir::TransferType::iso;
  urb.packets.resize(3);
  auto header = usbmon_header(urb);
  CHECK(read_usbmon(header));
  header.resize(header.size() - 1);
  CHECK_FALSE(read_usbmon(header));
  const std::uint32_t many = 0x10000001;  // times 16 it is 16
  std::memcpy(header.data() + 60, &many, sizeof many);
  CHECK_FALSE(read_usbmon(header));
}
