#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "device-sim/smart_card/cacard_library.h"
#include "device-sim/smart_card/smart_card.h"

namespace usbloop::device_sim {

struct EmulatedCardOptions {
  std::string database;                   ///< a directory with NSS' cert9.db and key4.db
  std::vector<std::string> certificates;  ///< nicknames in it, whose keys the card has too, in the card's order
};

/// libcacard's card: a CAC whose certificates and keys are in a database of NSS. Both libraries keep their state in the
/// process, and NSS opens one database in it: a process has one card, in one reader at a time, for as long as it runs.
class EmulatedCard final : public SmartCard {
 public:
  /// Errors: unavailable (no library), not_found (no database, or certificates that are not in it), invalid (names that
  /// the library cannot be told), conflict (the process has another card, or this one in another reader).
  static Result<std::unique_ptr<SmartCard>> insert(const EmulatedCardOptions& options);

  ~EmulatedCard() override;
  EmulatedCard(const EmulatedCard&) = delete;
  EmulatedCard& operator=(const EmulatedCard&) = delete;

  std::vector<std::byte> power_on() override;
  void power_off() override;
  std::vector<std::byte> transmit(std::span<const std::byte> command) override;

 private:
  struct ReaderFree {
    decltype(&vreader_free) free;
    void operator()(VReader* reader) const { free(reader); }
  };
  using Reader = std::unique_ptr<VReader, ReaderFree>;

  EmulatedCard(const CacardLibrary& library, Reader reader) : library_(library), reader_(std::move(reader)) {}
  /// Whether it has as many certificates as that.
  bool has_certificates(std::size_t count);

  CacardLibrary library_;
  Reader reader_;
};

}  // namespace usbloop::device_sim
