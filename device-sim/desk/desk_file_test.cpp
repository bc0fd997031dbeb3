#include "device-sim/desk/desk_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/test_text.h"
#include "device-sim/desk/test_support.h"

using namespace usbloop;
using namespace usbloop::desk;
using usbloop::testing::contains;

namespace {

struct WrongFile {
  const char* text;
  const char* cause;  ///< part of the message
  const char* cure;   ///< part of the hint
};

const WrongFile kWrongFiles[] = {
    {"", "no mapping", "devices:"},
    {"[]", "no mapping", "devices:"},
    {"device: []", "line 1: there is no such key: device", "devices:"},
    {"devices: {}", "no list devices:", "devices:"},
    {"devices: []\ndevices: []", "line 2: devices: is there twice", "one list"},
    {"devices:\n- stick", "line 2: a device is a plain value", "kind: stick"},
    {"devices:\n- {name: a}", "line 2: device a: kind: is missing", "kind: stick"},
    {"devices:\n- kind: mouse\n  bus: 0", "line 3: device mouse: bus: 0 is no number from 1 to 255", "lsusb"},
    {"devices:\n- kind: mouse\n  bus: [1]", "line 3: device mouse: bus: is a list", "leave it out"},
    {"devices:\n- kind: mouse\n  bus:", "line 3: device mouse: bus: is nothing", "leave it out"},
    {"devices:\n- kind: mouse\n  address: 128", "address: 128 is no number from 1 to 127", "lsusb"},
    {"devices:\n- kind: mouse\n  address: 3x", "address: 3x is no number", "lsusb"},
    {"devices:\n- kind: mouse\n  port: 1-2", "port: 1-2 is no way to a port", "1.4"},
    {"devices:\n- kind: mouse\n  port: 1.2.3.4.5.6.7", "no way to a port", "1.4"},
    {"devices:\n- kind: mouse\n  port: 1.", "no way to a port", "1.4"},
    {"devices:\n- kind: mouse\n  name: 1-3", "the name \"1-3\" is none", "A letter"},
    {"devices:\n- kind: mouse\n  plugged: maybe", "plugged: maybe is neither true nor false", "plugged: false"},
    {"devices:\n- kind: stick\n  size: 64X", "size: 64X is no size", "64M"},
    {"devices:\n- kind: stick\n  size: 100", "size: 100 is no size", "512"},
    {"devices:\n- kind: stick\n  size: 9999999T", "is no size", "64M"},
    {"devices:\n- kind: mouse\n  bus: 1\n  bus: 1", "line 4: device mouse: the key bus: is there twice", "one of them"},
    {"devices:\n- kind: mouse\n- kind: mouse", "line 3: device mouse: the name is that of the device mouse of line 2",
     "name:"},
    {"devices:\n- {kind: mouse, address: 3}\n- {kind: keyboard, address: 3}",
     "line 3: device keyboard: the address 1-3 is that of the device mouse of line 2", "another address:"},
    {"devices:\n- {kind: mouse, port: 1.4}\n- {kind: keyboard, port: 01.4}",
     "line 3: device keyboard: the port 1-1.4 is that of the device mouse", "another port:"},
    {"devices:\n- {kind: mouse, port: 1}\n- {kind: keyboard, port: 1.4}", "there is no hub", "another port:"},
    {"devices:\n- {kind: &a mouse}\n- {kind: *a}", "not valid YAML: line 3, column", "devices:"},
    {"devices: [[[[[[[[[[", "not valid YAML", "devices:"},
    {"devices:\n- {kind: mouse, [a]: b}", "a key is no plain value", "a word"},
};

/// What make_desk_device() says of the only device of the text.
Error error_of_device(const std::string& devices) {
  const auto entries = parse_desk("devices:\n" + devices, "d/desk.yaml");
  REQUIRE_MESSAGE(entries, entries.error().message());
  const auto device = make_desk_device(entries->front(), "d/desk.yaml");
  REQUIRE_FALSE(device);
  return device.error();
}

}  // namespace

TEST_CASE("each mistake in a desk file is told with its line, its device and a cure") {
  for (const auto& wrong : kWrongFiles) {
    const auto entries = parse_desk(wrong.text, "d/desk.yaml");
    REQUIRE_MESSAGE(!entries, wrong.text);
    CHECK(entries.error().kind == ErrorKind::invalid);
    CHECK_MESSAGE(contains(entries.error().message(), wrong.cause), entries.error().message());
    CHECK_MESSAGE(contains(entries.error().hint, wrong.cure), entries.error().message());
    CHECK(contains(entries.error().message(), "d/desk.yaml"));
  }
}

TEST_CASE("what is wrong with a device's own options names the line of the desk file too") {
  const auto kind = error_of_device("- kind: teapot");
  CHECK(contains(kind.message(), "d/desk.yaml: line 2: device teapot: there is no such kind"));
  CHECK(contains(kind.hint, "stick"));
  const auto key = error_of_device("- kind: mouse\n  colour: red");
  CHECK_MESSAGE(contains(key.message(), "line 2: device mouse: it has no option 'colour'"), key.message());
  CHECK_MESSAGE(contains(key.hint, "speed"), key.hint);
  CHECK_MESSAGE(contains(key.hint, "address"), key.hint);
  const auto speed = error_of_device("- kind: mouse\n  speed: super");
  CHECK_MESSAGE(contains(speed.message(), "line 2: device mouse: speed=super"), speed.message());
  const auto image = error_of_device("- kind: stick\n  image: gone.img");
  CHECK_MESSAGE(contains(image.message(), "line 2: device stick: "), image.message());
  CHECK_MESSAGE(contains(image.message(), "d/gone.img"), image.message());
  CHECK_MESSAGE(contains(image.hint, "size: 64M"), image.hint);
  const auto size = error_of_device("- kind: mouse\n  size: 64M");
  CHECK_MESSAGE(contains(size.message(), "size: is that of an image"), size.message());
}

TEST_CASE("hostile desk files are refused at their bounds") {
  std::string many = "devices:\n";
  for (std::size_t count = 0; count <= kMostDevices; ++count)
    many += "- {kind: mouse, name: m" + std::to_string(count) + "}\n";
  const auto devices = parse_desk(many, "desk.yaml");
  REQUIRE_FALSE(devices);
  CHECK(contains(devices.error().message(), "more than 64 devices"));
  const auto bytes = parse_desk("devices: [] #" + std::string(256 * 1024, 'x'), "desk.yaml");
  REQUIRE_FALSE(bytes);
  CHECK(contains(bytes.error().message(), "larger than"));
  const auto deep = parse_desk("devices: " + std::string(60'000, '['), "desk.yaml");
  REQUIRE_FALSE(deep);
  CHECK(contains(deep.error().message(), "nested too deeply"));
  std::string values = "devices: [";
  for (int count = 0; count < 10'000; ++count) values += "a,";
  const auto wide = parse_desk(values + "a]", "desk.yaml");
  REQUIRE_FALSE(wide);
  CHECK(contains(wide.error().message(), "too many values"));
}

TEST_CASE("a device that says nothing of its place gets the lowest free one of its bus") {
  const auto entries = parse_desk(
      "devices:\n- kind: mouse\n- {kind: keyboard, bus: 2}\n- {kind: serial, address: 2, port: 1}\n"
      "- {kind: camera, port: 3.1, frames: shots}\n- {kind: ftdi, pty: tty}\n- {kind: stick, image: a.img}\n",
      "d/desk.yaml");
  REQUIRE_MESSAGE(entries, entries.error().message());
  std::string places;
  for (const auto& entry : *entries) places += entry.place.bus_device() + "/" + entry.place.port_path() + " ";
  CHECK(places == "1-3/1-2 2-2/2-1 1-2/1-1 1-4/1-3.1 1-5/1-4 1-6/1-5 ");
  CHECK(entries->at(3).spec.options.at("frames") == "d/shots");
  CHECK(entries->at(4).spec.options.at("pty") == "d/tty");
  CHECK(entries->back().spec.options.at("image") == "d/a.img");
  CHECK(entries->back().line == 7);
}

TEST_CASE("switches are true and false without quotes, and all else is a text") {
  const auto entries = parse_desk(
      "devices:\n- {kind: stick, image: /a.img, ro: true, plugged: false, serial: 00123}\n"
      "- {kind: ssd, image: b.img, ro: false}\n- {kind: keyboard, text: 'true'}\n",
      "desk.yaml");
  REQUIRE_MESSAGE(entries, entries.error().message());
  const auto& stick = entries->at(0);
  CHECK(stick.spec.options.at("image") == "/a.img");
  CHECK(stick.spec.options.at("ro").empty());
  CHECK(stick.spec.options.at("serial") == "00123");
  CHECK_FALSE(stick.plugged);
  CHECK(entries->at(1).spec.options.count("ro") == 0);
  CHECK(entries->at(2).spec.options.at("text") == "true");
}

TEST_CASE("the example has the page's three devices at the page's addresses, and makes its images once") {
  const DeskDir dir;
  std::filesystem::copy_file(USBLOOP_DESK_EXAMPLE, dir.file("desk.yaml"));
  const auto entries = read_desk(dir.file("desk.yaml"));
  REQUIRE_MESSAGE(entries, entries.error().message());
  REQUIRE(entries->size() == 3);
  std::string lines;
  for (const auto& entry : *entries) {
    const auto device = make_desk_device(entry, dir.file("desk.yaml"));
    REQUIRE_MESSAGE(device, device.error().message());
    lines += entry.place.bus_device() + " " + (*device)->description().id() + " " + entry.label + "\n";
  }
  CHECK(lines ==
        "2-8 0951:1666 Kingston Technology DataTraveler 100 G3/G4/SE9 G2/50\n"
        "1-3 13d3:5406 IMC Networks Integrated Camera\n"
        "1-10 0781:55ae SanDisk Corp. Extreme 55AE\n");
  CHECK(std::filesystem::file_size(dir.file("stick.img")) == 64U << 20);
  std::ofstream(dir.file("stick.img"), std::ios::in) << "kept";
  CHECK(make_desk_device(entries->front(), dir.file("desk.yaml")));
  std::ifstream image(dir.file("stick.img"));
  std::string begin(4, ' ');
  image.read(begin.data(), 4);
  CHECK(begin == "kept");
}
