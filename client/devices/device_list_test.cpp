#include "client/devices/device_list.h"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "client/devices/device_question.h"
#include "client/devices/device_watch.h"
#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

ListedDevice stick() {
  ListedDevice listed;
  listed.device.place = {2, 8, "1.4"};
  listed.device.vendor = 0x0951;
  listed.device.product = 0x1666;
  listed.device.speed = usbredir::Speed::super;
  listed.device.classes = {{0x08, 0x06, 0x50}};
  listed.device.serial = "60A4";
  listed.name = "Works of Sticks Fast Stick";
  listed.drivers = "usb-storage";
  listed.accessible = true;
  return listed;
}

ListedDevice keyboard() {
  ListedDevice listed;
  listed.device.place = {1, 12, "3"};
  listed.device.vendor = 0x046d;
  listed.device.product = 0xc31c;
  listed.device.speed = usbredir::Speed::low;
  listed.device.classes = {{3, 1, 1}, {3, 0, 0}};
  listed.drivers = "usbhid";
  return listed;
}

ListedDevice root_hub() {
  ListedDevice listed;
  listed.device.place = {1, 1, ""};
  listed.device.vendor = 0x1d6b;
  listed.device.product = 2;
  listed.device.hub = true;
  listed.device.classes = {{9, 0, 1}};
  listed.name = "Linux Foundation 2.0 root hub";
  listed.drivers = "hub";
  return listed;
}

const std::vector<ListedDevice> kListed = {root_hub(), keyboard(), stick()};

}  // namespace

TEST_CASE("the plain list has lsusb's form, line by line, hubs too") {
  CHECK(render(kListed, ListFormat::lines) ==
        "Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub\n"
        "Bus 001 Device 012: ID 046d:c31c\n"
        "Bus 002 Device 008: ID 0951:1666 Works of Sticks Fast Stick\n");
  CHECK(render({}, ListFormat::lines).empty());
}

TEST_CASE("the wide list is a table with what decides") {
  CHECK(
      render({keyboard(), stick()}, ListFormat::wide) ==
      "BUS-DEVICE   ID          PORT    SPEED   CLASS                      DRIVER        ACCESS   REDIRECT         "
      "SERIAL   NAME\n"
      "1-12         046d:c31c   1-3     low     keyboard,human interface   usbhid        no       no: a keyboard   -\n"
      "2-8          0951:1666   2-1.4   super   mass storage               usb-storage   yes      yes              "
      "60A4     Works of Sticks Fast Stick\n");
}

TEST_CASE("json and yaml hold the same") {
  const auto json = nlohmann::json::parse(render(kListed, ListFormat::json));
  REQUIRE(json.at("devices").size() == 3);
  const auto& third = json.at("devices").at(2);
  CHECK(third.at("bus") == 2);
  CHECK(third.at("device") == 8);
  CHECK(third.at("id") == "0951:1666");
  CHECK(third.at("port") == "2-1.4");
  CHECK(third.at("serial") == "60A4");
  CHECK(third.at("speed") == "super");
  CHECK(third.at("classes") == nlohmann::json({"mass storage"}));
  CHECK(third.at("driver") == "usb-storage");
  CHECK(third.at("accessible") == true);
  CHECK(third.at("worthRedirecting") == true);
  CHECK(json.at("devices").at(0).at("objection") == "a hub");
  CHECK(json.at("devices").at(0).at("port") == "usb1");

  const auto yaml = YAML::Load(render(kListed, ListFormat::yaml));
  REQUIRE(yaml["devices"].size() == 3);
  CHECK(yaml["devices"][2]["id"].as<std::string>() == "0951:1666");
  CHECK(yaml["devices"][2]["bus"].as<int>() == 2);
  CHECK(yaml["devices"][1]["worthRedirecting"].as<bool>() == false);
  CHECK(yaml["devices"][1]["classes"][0].as<std::string>() == "keyboard");
  CHECK(nlohmann::json::parse(render({}, ListFormat::json)).at("devices").empty());
}

TEST_CASE("names come from the list of ids, else from the device, and what it says of itself steers no terminal") {
  std::istringstream list("0951  Works of Sticks\n");
  const auto ids = UsbIds::from_usb_ids(list, {{0x0951, 0x1666}});
  auto device = stick().device;
  device.manufacturer = "ITS OWN";
  device.product_name = "DataThing";
  CHECK(device_name(device, ids) == "Works of Sticks DataThing");
  device.vendor = 0x1234;
  CHECK(device_name(device, ids) == "ITS OWN DataThing");
  auto hostile = stick();
  hostile.device.serial = "A\x1b[2J\nB";
  for (const auto format : {ListFormat::lines, ListFormat::wide, ListFormat::json, ListFormat::yaml}) {
    CHECK_FALSE(contains(render({hostile}, format), "\x1b"));
  }
}

TEST_CASE("classes have names") {
  CHECK(class_names({{8, 6, 0x50}, {8, 6, 0x62}, {3, 1, 2}}) == "mass storage,mouse");
  CHECK(class_name({0x42, 0, 0}) == "class 0x42");
  CHECK(class_names({}).empty());
}

TEST_CASE("a watch tells what came and what went, also a twin at the same address") {
  CHECK(changes(kListed, kListed, ListFormat::lines).empty());
  CHECK(changes({root_hub(), keyboard()}, {root_hub(), stick()}, ListFormat::lines) ==
        "- Bus 001 Device 012: ID 046d:c31c\n"
        "+ Bus 002 Device 008: ID 0951:1666 Works of Sticks Fast Stick\n");
  auto twin = stick();
  twin.device.serial = "60A5";
  CHECK(contains(changes({stick()}, {twin}, ListFormat::lines), "- Bus 002"));
  const auto line = changes({}, {stick()}, ListFormat::json);
  CHECK(nlohmann::json::parse(line).at("event") == "added");
  CHECK(nlohmann::json::parse(line).at("device").at("serial") == "60A4");
}

TEST_CASE("a person chooses by a number, and anything else chooses nothing") {
  const auto ask = [](const std::string& answer) {
    std::istringstream answers(answer);
    std::ostringstream questions;
    const auto chosen = ask_number({"1-3  first", "1-4  second"}, answers, questions);
    CHECK(questions.str() == "  1)  1-3  first\n  2)  1-4  second\nWhich one? [1-2] ");
    return chosen;
  };
  CHECK(ask("1\n") == 0);
  CHECK(ask("2\n") == 1);
  for (const char* answer : {"", "\n", "0\n", "3\n", "x\n", "1x\n", "-1\n", "99999999999999999999\n"}) {
    CHECK_FALSE(ask(answer));
  }
}
