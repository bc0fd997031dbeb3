#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/error.h"
#include "kube-sim/store/object.h"

namespace usbloop::apiserver {

/// Where writes are kept so that they outlive the process. Used by one thread at a time.
class Journal {
 public:
  virtual ~Journal() = default;

  /// One object as text; make_object builds the rest.
  struct Row {
    Key key;
    std::uint64_t version = 0;
    std::string text;
  };
  struct EventRow {
    EventType type = EventType::added;
    Row row;
    std::string previous;  ///< text; empty for `added`
    std::uint64_t previous_version = 0;
  };
  struct Contents {
    std::vector<Row> objects;
    std::vector<EventRow> events;  ///< the latest ones, versions ascending
    std::uint64_t version = 0;     ///< of the last write
  };
  virtual Result<Contents> load() = 0;

  /// Moves what is stored of objects out of the way, into a table of its own: nothing is lost. The history of writes is
  /// dropped, so that watchers list again.
  virtual Result<> set_aside(const std::vector<Key>& objects) = 0;

  /// When this has returned without error, the write survives the death of the process.
  virtual Result<> write(const Event& event) = 0;

  /// Whether a write would be kept now: makes one that changes no object.
  virtual Result<> probe() = 0;
};

/// Keeps nothing. Versions start at the time of day, so that they do not go back when the program is started again.
std::unique_ptr<Journal> make_memory_journal();

/// A SQLite database (WAL) at `path`, made with mode 0600 when absent. Refuses one of a newer version of the program
/// (PRAGMA user_version), and brings an older one up to date. Keeps the last `history` events for watchers
/// that come back after a restart.
Result<std::unique_ptr<Journal>> open_sqlite_journal(const std::string& path, std::size_t history);

}  // namespace usbloop::apiserver
