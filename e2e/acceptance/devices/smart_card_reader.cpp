// QEMU's smart-card reader (CCID) with a card that the test plays: the guest powers it on, and asks it something.
#include <optional>

#include "e2e/acceptance/devices/tty.h"
#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

constexpr const char* kAnswerToReset = "\x3b\x04loop";  // direct convention, four historical bytes
constexpr std::size_t kCcidHeader = 10;

/// The card's end of QEMU's ccid-card-passthru: messages of type, reader and length (32 bits each, big-endian).
class Card {
 public:
  static constexpr std::uint32_t kInit = 1;
  static constexpr std::uint32_t kReaderAdd = 3;
  static constexpr std::uint32_t kAnswerToResetIs = 5;
  static constexpr std::uint32_t kCommand = 7;

  explicit Card(Fd fd) : line_(std::move(fd)) {
    send(kInit, "VSCD" + big_endian(2, 4) + big_endian(0, 4));
    send(kReaderAdd, "reader");
    send(kAnswerToResetIs, kAnswerToReset);
  }

  /// The next command for the card.
  std::string receive_command() {
    while (true) {
      while (received_.size() < kHeader) more();
      const std::uint32_t type = number(0);
      const std::size_t length = number(8);
      while (received_.size() < kHeader + length) more();
      const std::string body = received_.substr(kHeader, length);
      received_.erase(0, kHeader + length);
      if (type == kCommand) return body;
    }
  }

  void send(std::uint32_t type, const std::string& body) {
    line_.send(big_endian(type, 4) + big_endian(0, 4) + big_endian(body.size(), 4) + body);
  }

 private:
  static constexpr std::size_t kHeader = 12;

  void more() {
    if (!line_.receive(received_, 30s)) throw Failure("QEMU has taken the smart card out");
  }
  [[nodiscard]] std::uint32_t number(std::size_t at) const {
    const std::string bytes = received_.substr(at, 4);
    return static_cast<std::uint32_t>(number_at(std::string(bytes.rbegin(), bytes.rend()), 0, 4));
  }

  PlainSocket line_;
  std::string received_;
};

/// A message of the CCID class, section 6: type, length, slot 0, sequence number, three bytes that depend on the type.
std::string ccid_message(int type, int sequence, const std::string& body) {
  return little_endian(static_cast<std::uint64_t>(type), 1) + little_endian(body.size(), 4) + '\0' +
         static_cast<char>(sequence) + std::string(3, '\0') + body;
}

constexpr int kPowerOn = 0x62;
constexpr int kTransfer = 0x6f;
constexpr unsigned char kDataBlock = 0x80;

void expect_data_block(const std::string& answer, int sequence, const std::string& body) {
  const bool right = static_cast<unsigned char>(answer.at(0)) == kDataBlock && number_at(answer, 1, 4) == body.size() &&
                     answer.at(6) == static_cast<char>(sequence) && answer.substr(kCcidHeader) == body;
  if (!right) throw Failure("the reader's answer is not the card's");
}

class SmartCardReader : public Device {
 public:
  std::vector<std::string> backend(const std::filesystem::path&) override {
    return {"-chardev", "socket,id=card,path=card,server=on,wait=off"};
  }

  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    card_.reset();
    machine.plug("usb-ccid," + port, id);
    machine.plug("ccid-card-passthru,bus=" + id + ".0,chardev=card", "card");
    card_.emplace(connect_unix(machine.dir() / "card"));
  }

  void exchange(ClientMachine&, const GuestPort& port, int round) override {
    if (!driver_told_) give_to_serial_driver(port.console, "08e6 4433");
    driver_told_ = true;
    GuestTty tty(port);
    const std::string reset = kAnswerToReset;
    tty.send(ccid_message(kPowerOn, 1, ""));
    expect_data_block(tty.receive(kCcidHeader + reset.size()), 1, reset);

    const std::string question = std::string("\x80\x10\0\0\x01", 5) + static_cast<char>(round);
    const std::string answer = "round " + std::to_string(round) + std::string("\x90\0", 2);
    tty.send(ccid_message(kTransfer, 2, question));
    if (card_->receive_command() != question) throw Failure("the card got another command than the guest sent");
    card_->send(Card::kCommand, answer);
    expect_data_block(tty.receive(kCcidHeader + answer.size()), 2, answer);
  }

 private:
  std::optional<Card> card_;
  bool driver_told_ = false;
};

}  // namespace

DevicePtr make_smart_card_reader() { return std::make_unique<SmartCardReader>(); }

}  // namespace usbloop::e2e
