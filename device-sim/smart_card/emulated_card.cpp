#include "device-sim/smart_card/emulated_card.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <utility>

namespace usbloop::device_sim {
namespace {

constexpr const char* kCardOperation = "make a smart card of";
constexpr const char* kReaderName = "Reader";

/// The card that the process has.
struct OnlyCard {
  std::mutex mutex;
  std::string options;   ///< that the library has been started with; empty: it has not
  bool in_slot = false;  ///< an EmulatedCard has it
};

OnlyCard& only_card() {
  static OnlyCard card;
  return card;
}

/// A card with these options is nobody else's now; the library has been started if it had not been. Errors: the cause.
tl::expected<void, const char*> claim_card(const CacardLibrary& library, const std::string& options) {
  OnlyCard& only = only_card();
  const std::scoped_lock lock(only.mutex);
  if (only.in_slot) return tl::unexpected<const char*>("the one card of this process is in another emulated reader");
  if (!only.options.empty() && only.options != options)
    return tl::unexpected<const char*>(
        "this process has had a card with other certificates, and can have no second one");
  if (only.options.empty()) {
    only.options = options;
    const VCardEmulOptions* const read = library.read_options(options.c_str());
    if (read != nullptr) static_cast<void>(library.begin(read));
    // It tells of its reader and its card, which stay where they are.
    while (VEvent* const event = library.next_event()) library.free_event(event);
  }
  only.in_slot = true;
  return {};
}

void release_card() {
  const std::scoped_lock lock(only_card().mutex);
  only_card().in_slot = false;
}

tl::unexpected<Error> refuse_card(ErrorKind kind, const EmulatedCardOptions& options, std::string cause,
                                  std::string hint) {
  return make_error(kind, kCardOperation, options.database, std::move(cause), std::move(hint));
}

/// Whether the library takes a nickname as it is: its options are one text.
bool is_plain_name(const std::string& name) {
  constexpr std::size_t kLongestName = 128;
  const auto is_plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != ',' && c != ')' && c != '"';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != ' ' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

Result<std::string> library_options(const EmulatedCardOptions& options) {
  constexpr std::size_t kMostCertificates = 10;
  if (options.certificates.empty() || options.certificates.size() > kMostCertificates)
    return refuse_card(ErrorKind::invalid, options, "a card has 1 to 10 certificates",
                       "Name them: certs=cert1:cert2:cert3");
  if (options.database.find_first_of("\"\n") != std::string::npos)
    return refuse_card(ErrorKind::invalid, options, "libcacard takes no database with such a name",
                       "Rename the directory.");
  for (const char* file : {"cert9.db", "key4.db"}) {
    std::error_code error;
    if (std::filesystem::is_regular_file(std::filesystem::path(options.database) / file, error)) continue;
    return refuse_card(ErrorKind::not_found, options, std::string("it has no ") + file,
                       "Make a database with: certutil -N -d sql:" + options.database + " --empty-password");
  }
  std::string text = "db=\"sql:" + options.database + "\" use_hw=no soft=(," + kReaderName + ",CAC,";
  for (const std::string& name : options.certificates) {
    if (!is_plain_name(name))
      return refuse_card(ErrorKind::invalid, options, "no certificate may be called '" + name + "'", {});
    text += "," + name;
  }
  return text + ")";
}

}  // namespace

Result<std::unique_ptr<SmartCard>> EmulatedCard::insert(const EmulatedCardOptions& options) {
  const auto text = library_options(options);
  if (!text) return tl::unexpected(text.error());
  const auto library = CacardLibrary::load();
  if (!library) return tl::unexpected(library.error());
  if (const auto claimed = claim_card(*library, *text); !claimed) {
    return refuse_card(ErrorKind::conflict, options, claimed.error(),
                       "libcacard and NSS have one card a process: run a device-sim for each.");
  }
  Reader reader(library->find_reader(kReaderName), ReaderFree{library->free_reader});
  std::unique_ptr<EmulatedCard> card(new EmulatedCard(*library, std::move(reader)));
  if (card->has_certificates(options.certificates.size())) return card;
  return refuse_card(ErrorKind::not_found, options, "NSS does not find all of these certificates with their keys in it",
                     "See which ones there are with: certutil -L -d sql:" + options.database);
}

EmulatedCard::~EmulatedCard() {
  if (reader_) power_off();
  release_card();
}

bool EmulatedCard::has_certificates(std::size_t count) {
  if (!reader_ || power_on().empty()) return false;
  // SELECT of the application that has the last certificate; there is one for each.
  const std::array<std::uint8_t, 12> select = {0x00, 0xa4, 0x04, 0x00, 7,    0xa0,
                                               0x00, 0x00, 0x00, 0x79, 0x01, static_cast<std::uint8_t>(count - 1)};
  constexpr std::byte kMoreData{0x61};
  const auto response = transmit(std::as_bytes(std::span(select)));
  power_off();
  return !response.empty() && response.front() == kMoreData;
}

std::vector<std::byte> EmulatedCard::power_on() {
  std::array<unsigned char, 33> reset{};
  int size = static_cast<int>(reset.size());
  if (library_.power_on(reader_.get(), reset.data(), &size) != VREADER_OK) return {};
  const auto said = std::as_bytes(std::span(reset)).first(static_cast<std::size_t>(size));
  return {said.begin(), said.end()};
}

void EmulatedCard::power_off() { static_cast<void>(library_.power_off(reader_.get())); }

std::vector<std::byte> EmulatedCard::transmit(std::span<const std::byte> command) {
  constexpr std::size_t kLongestResponse = 0x10000 + 2;
  std::vector<unsigned char> sent(command.size());
  std::memcpy(sent.data(), command.data(), command.size());
  std::vector<unsigned char> received(kLongestResponse);
  int size = static_cast<int>(received.size());
  if (library_.transmit(reader_.get(), sent.data(), static_cast<int>(sent.size()), received.data(), &size) !=
      VREADER_OK)
    return {};
  const auto said = std::as_bytes(std::span(received)).first(static_cast<std::size_t>(size));
  return {said.begin(), said.end()};
}

}  // namespace usbloop::device_sim
