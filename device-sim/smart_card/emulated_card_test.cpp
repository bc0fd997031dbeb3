// libcacard's card with a database that certutil makes. A process has one card: each case asks for the same.
#include "device-sim/smart_card/emulated_card.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <random>
#include <string>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "device-sim/smart_card/smart_card_spec.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::testing::contains;

namespace {

constexpr const char* kPin = "123456";

/// A database with two certificates.
struct CertificateDatabase {
  CertificateDatabase() {
    const std::string where = " -d sql:" + dir.path.string() + " -f " + (dir.path / "pin").string() + " ";
    const std::string noise = dir.file("noise", 64);
    std::ofstream(dir.path / "pin") << kPin;
    const auto run = [](const std::string& command) {
      return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
    };
    if (!run("command -v certutil")) {
      std::puts("skipped: certutil is not installed (package libnss3-tools)");
      std::exit(77);
    }
    REQUIRE(run("certutil -N" + where));
    for (const std::string name : {"cert1", "cert2"})
      REQUIRE(run("certutil -S -x -t ,, -s CN=" + name + " -n " + name + " -z " + noise + where));
  }
  const testing::TempDir dir;
};

EmulatedCardOptions card_options(std::vector<std::string> certificates = {"cert1", "cert2"}) {
  static const CertificateDatabase kDatabase;
  return {kDatabase.dir.path.string(), std::move(certificates)};
}

std::unique_ptr<SmartCard> insert_card() {
  auto card = EmulatedCard::insert(card_options());
  REQUIRE_MESSAGE(card, card.error().message());
  return std::move(*card);
}

std::vector<std::byte> octets(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

std::vector<std::byte> ask_card(SmartCard& card, std::initializer_list<int> values) {
  return card.transmit(octets(values));
}

int status_of(const std::vector<std::byte>& response) {
  REQUIRE(response.size() >= 2);
  return std::to_integer<int>(response[response.size() - 2]) << 8 | std::to_integer<int>(response.back());
}

/// SELECT of the application that has the second certificate.
void select_certificate(SmartCard& card) {
  const auto response = ask_card(card, {0x00, 0xa4, 0x04, 0x00, 7, 0xa0, 0x00, 0x00, 0x00, 0x79, 0x01, 0x01});
  CHECK(response.front() == std::byte{0x61});
}

/// VERIFY, with the PIN filled up as a CAC has it.
int tell_pin(SmartCard& card, const std::string& pin) {
  auto command = octets({0x00, 0x20, 0x00, 0x00, 8});
  for (const char digit : pin) command.push_back(static_cast<std::byte>(digit));
  command.resize(5 + 8, std::byte{0xff});
  return status_of(card.transmit(command));
}

/// SIGN of 256 bytes, as many as the key of 2048 bits has, in two commands. The status: 0x6100 where 256 bytes wait.
int sign(SmartCard& card) {
  select_certificate(card);
  auto first = octets({0x80, 0x42, 0x80, 0x00, 250}), last = octets({0x80, 0x42, 0x00, 0x00, 6});
  first.resize(5 + 250, std::byte{1});
  last.resize(5 + 6, std::byte{1});
  CHECK(status_of(card.transmit(first)) == 0x9000);
  return status_of(card.transmit(last));
}

}  // namespace

TEST_CASE("a card answers to reset, and its applications are selected") {
  const auto card = insert_card();
  const auto reset = card->power_on();
  REQUIRE(reset.size() > 2);
  CHECK(reset.front() == std::byte{0x3b});
  // The card capability container of a CAC, with Le: the file's control information and 9000.
  const auto selected = ask_card(*card, {0x00, 0xa4, 0x04, 0x00, 7, 0xa0, 0x00, 0x00, 0x01, 0x16, 0xdb, 0x00, 0x00});
  CHECK(status_of(selected) == 0x9000);
  CHECK(selected.size() > 2);
  CHECK(status_of(ask_card(*card, {0x00, 0xa4, 0x04, 0x00, 5, 0xa0, 0x00, 0x00, 0x03, 0x08})) == 0x6a82);  // not found
}

TEST_CASE("a card tells its certificate to anybody") {
  const auto card = insert_card();
  card->power_on();
  select_certificate(*card);
  CHECK(status_of(ask_card(*card, {0x80, 0x52, 0x00, 0x00, 2, 0x02, 100})) == 0x6164);  // READ BUFFER
  CHECK(ask_card(*card, {0x00, 0xc0, 0x00, 0x00, 100}).size() == 102);
}

TEST_CASE("a card signs once it has been told its PIN, until it is reset") {
  const auto card = insert_card();
  card->power_on();
  CHECK(sign(*card) == 0x6985);
  CHECK(tell_pin(*card, "654321") == 0x6985);
  CHECK(sign(*card) == 0x6985);
  CHECK(tell_pin(*card, kPin) == 0x9000);
  CHECK(sign(*card) == 0x6100);
  CHECK(ask_card(*card, {0x00, 0xc0, 0x00, 0x00, 0x00}).size() == 258);
  card->power_on();
  CHECK(sign(*card) == 0x6985);
}

TEST_CASE("the process has one card, in one reader") {
  auto card = EmulatedCard::insert(card_options());
  REQUIRE(card);
  CHECK(contains(EmulatedCard::insert(card_options()).error().message(), "in another emulated reader"));
  card->reset();
  const auto other = EmulatedCard::insert(card_options({"cert1"}));
  REQUIRE_FALSE(other);
  CHECK(contains(other.error().message(), "can have no second one"));
  const auto options = card_options();
  CHECK(make_smart_card({"smart-card", {{"db", options.database}, {"certs", "cert1:cert2"}}}, {}));
}

TEST_CASE("names that the library's options cannot hold are refused") {
  for (const std::string name : {"", "a,b", "a)", "\"", " a", "a\nb"}) {
    CAPTURE(name);
    CHECK(contains(EmulatedCard::insert(card_options({name})).error().message(), "no certificate may be called"));
  }
}

TEST_CASE("a card outlives any commands") {
  const auto card = insert_card();
  std::mt19937 random(7);
  const auto below = [&random](unsigned bound) {
    return std::uniform_int_distribution<unsigned>(0, bound - 1)(random);
  };
  constexpr unsigned kInstructions[] = {0x20, 0x24, 0x2a, 0x42, 0x44, 0x46, 0x4c, 0x52, 0x54, 0x56, 0x70, 0x82, 0x84,
                                        0x86, 0x87, 0xa4, 0xb0, 0xb2, 0xc0, 0xc2, 0xca, 0xcb, 0xd0, 0xd6, 0xdb, 0xe2};
  int answered = 0;
  for (int round = 0; round < 20000; ++round) {
    if (round % 100 == 0) card->power_on();
    std::vector<std::byte> command(4 + below(below(8) == 0 ? 300 : 20));
    for (auto& byte : command) byte = static_cast<std::byte>(below(256));
    command[0] = static_cast<std::byte>(below(4) == 0 ? below(256) : below(2) * 0x80);
    if (below(8) != 0) command[1] = static_cast<std::byte>(kInstructions[below(std::size(kInstructions))]);
    if (command.size() > 5 && below(2) == 0) command[4] = static_cast<std::byte>(command.size() - 5);
    answered += card->transmit(command).size() >= 2 ? 1 : 0;
  }
  CHECK(answered > 19000);
}
