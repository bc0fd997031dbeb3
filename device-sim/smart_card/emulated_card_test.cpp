// libcacard's card with a database that certutil makes. A process has one card: each case asks for the same.
#include "device-sim/smart_card/emulated_card.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
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

/// A database with two certificates and no password.
struct CertificateDatabase {
  CertificateDatabase() {
    const std::string where = " -d sql:" + dir.path.string() + " ";
    const std::string noise = dir.file("noise", 64);
    const auto run = [](const std::string& command) {
      return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
    };
    if (!run("command -v certutil")) {
      std::puts("skipped: certutil is not installed (package libnss3-tools)");
      std::exit(77);
    }
    REQUIRE(run("certutil -N --empty-password" + where));
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

std::vector<int> ask_card(SmartCard& card, std::initializer_list<int> values) {
  std::vector<std::byte> command;
  for (const int value : values) command.push_back(static_cast<std::byte>(value));
  std::vector<int> response;
  for (const std::byte byte : card.transmit(command)) response.push_back(std::to_integer<int>(byte));
  return response;
}

int status_of(const std::vector<int>& response) {
  REQUIRE(response.size() >= 2);
  return response[response.size() - 2] << 8 | response.back();
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

TEST_CASE("a card tells its certificate, and signs with its key") {
  const auto card = insert_card();
  card->power_on();
  CHECK(status_of(ask_card(*card, {0x00, 0x20, 0x00, 0x00, 4, '1', '2', '3', '4'})) == 0x9000);
  ask_card(*card, {0x00, 0xa4, 0x04, 0x00, 7, 0xa0, 0x00, 0x00, 0x00, 0x79, 0x01, 0x01});
  CHECK(status_of(ask_card(*card, {0x80, 0x52, 0x00, 0x00, 2, 0x02, 100})) == 0x6164);  // READ BUFFER
  CHECK(ask_card(*card, {0x00, 0xc0, 0x00, 0x00, 100}).size() == 102);
  // 256 bytes for the key of 2048 bits, in two commands.
  std::vector<std::byte> first(5 + 250, std::byte{1}), last(5 + 6, std::byte{1});
  first[0] = last[0] = std::byte{0x80};
  first[1] = last[1] = std::byte{0x42};
  first[2] = std::byte{0x80};
  last[2] = first[3] = last[3] = std::byte{0};
  first[4] = std::byte{250};
  last[4] = std::byte{6};
  CHECK(card->transmit(first) == std::vector<std::byte>{std::byte{0x90}, std::byte{0x00}});
  CHECK(card->transmit(last) == std::vector<std::byte>{std::byte{0x61}, std::byte{0x00}});
  CHECK(ask_card(*card, {0x00, 0xc0, 0x00, 0x00, 0x00}).size() == 258);
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
