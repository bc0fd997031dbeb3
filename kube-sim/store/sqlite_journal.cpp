#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <utility>

#include "common/fd.h"
#include "kube-sim/store/journal.h"

namespace usbloop::apiserver {
namespace {

struct DatabaseDeleter {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using DatabasePtr = std::unique_ptr<sqlite3, DatabaseDeleter>;

struct StatementDeleter {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// A prepared statement; bind() takes the parameters in order.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) {
    sqlite3_stmt* made = nullptr;
    sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    handle_.reset(made);
  }
  explicit operator bool() const { return handle_ != nullptr; }

  void rewind() {
    sqlite3_reset(handle_.get());
    next_ = 1;
  }
  void bind(const std::string& text) {
    // The text lives until the step has been made.
    sqlite3_bind_text64(handle_.get(), next_++, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  void bind(std::uint64_t number) { sqlite3_bind_int64(handle_.get(), next_++, static_cast<sqlite3_int64>(number)); }

  /// SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return sqlite3_step(handle_.get()); }

  [[nodiscard]] std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    return bytes == nullptr ? std::string()
                            : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)));
  }
  [[nodiscard]] std::uint64_t number(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(handle_.get(), column));
  }

 private:
  std::unique_ptr<sqlite3_stmt, StatementDeleter> handle_;
  int next_ = 1;
};

// synchronous=NORMAL: a commit is in the operating system's hands when it returns, which a killed process cannot undo;
// only a power cut could lose the latest ones, and the database stays whole even then.
// locking_mode=EXCLUSIVE: a second server on the same directory fails at its start.
constexpr const char* kLocking = "PRAGMA locking_mode = EXCLUSIVE";  // before the file is touched
constexpr const char* kSettings = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
)";

/// What makes schema N + 1 of schema N; PRAGMA user_version holds N. A file without a number is either new or of the
/// time before there was one, whose tables were those of schema 1.
constexpr std::array<const char*, 1> kMigrations = {R"(
  CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS events (
    version INTEGER PRIMARY KEY, type INTEGER NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL,
    name TEXT NOT NULL, text TEXT NOT NULL, previous_version INTEGER NOT NULL, previous TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS probes (id INTEGER PRIMARY KEY, count INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS set_aside (
    time TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
    text TEXT NOT NULL);
)"};

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(DatabasePtr database, std::string path, std::size_t history)
      : database_(std::move(database)),
        path_(std::move(path)),
        history_(history),
        begin_(database_.get(), "BEGIN IMMEDIATE"),
        commit_(database_.get(), "COMMIT"),
        rollback_(database_.get(), "ROLLBACK"),
        put_(database_.get(), "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)"),
        remove_(database_.get(), "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?"),
        record_(database_.get(), "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
        forget_(database_.get(), "DELETE FROM events WHERE version < ?"),
        probe_(database_.get(), "INSERT INTO probes VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1") {}

  /// Whether the file has the tables that the statements need.
  [[nodiscard]] bool ready() const {
    return begin_ && commit_ && rollback_ && put_ && remove_ && record_ && forget_ && probe_;
  }

  Result<Contents> load() override {
    Contents contents;
    Statement objects(database_.get(), "SELECT resource, namespace, name, version, text FROM objects");
    int code = SQLITE_DONE;
    while ((code = objects.step()) == SQLITE_ROW) {
      contents.objects.push_back(
          {{objects.text(0), objects.text(1), objects.text(2)}, objects.number(3), objects.text(4)});
    }
    if (code != SQLITE_DONE) return failure("read");
    Statement events(database_.get(),
                     "SELECT type, resource, namespace, name, version, text, previous_version, previous FROM events "
                     "ORDER BY version");
    while ((code = events.step()) == SQLITE_ROW) {
      EventRow row;
      row.type = static_cast<EventType>(events.number(0));
      row.row = {{events.text(1), events.text(2), events.text(3)}, events.number(4), events.text(5)};
      row.previous_version = events.number(6);
      row.previous = events.text(7);
      contents.version = row.row.version;
      contents.events.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) return failure("read");
    return contents;
  }

  Result<> set_aside(const std::vector<Key>& objects) override {
    Statement copy(database_.get(),
                   "INSERT INTO set_aside SELECT datetime('now'), * FROM objects "
                   "WHERE resource = ? AND namespace = ? AND name = ?");
    // The last one tells the version that the next write follows.
    Statement forget(database_.get(), "DELETE FROM events WHERE version < (SELECT max(version) FROM events)");
    bool done = copy && forget && run(begin_);
    if (!done) return failure("write");
    for (const Key& key : objects) {
      for (Statement* statement : {&copy, &remove_}) {
        statement->bind(key.resource);
        statement->bind(key.namespace_);
        statement->bind(key.name);
        done = done && run(*statement);
      }
    }
    if (!done || !run(forget) || !run(commit_)) {
      auto error = failure("write");
      run(rollback_);
      return error;
    }
    return {};
  }

  Result<> write(const Event& event) override {
    if (!run(begin_)) return failure("write");
    if (!write_object(event) || !write_event(event) || !prune(event.object->version) || !run(commit_)) {
      auto error = failure("write");
      run(rollback_);
      return error;
    }
    return {};
  }

  Result<> probe() override {
    if (!run(probe_)) return failure("write");
    return {};
  }

 private:
  static bool run(Statement& statement) {
    const bool done = statement.step() == SQLITE_DONE;
    statement.rewind();
    return done;
  }

  bool write_object(const Event& event) {
    const Key& key = event.object->key;
    Statement& statement = event.type == EventType::deleted ? remove_ : put_;
    statement.bind(key.resource);
    statement.bind(key.namespace_);
    statement.bind(key.name);
    if (event.type != EventType::deleted) {
      statement.bind(event.object->version);
      statement.bind(event.object->text);
    }
    return run(statement);
  }

  bool write_event(const Event& event) {
    static const std::string kNone;
    const Key& key = event.object->key;
    record_.bind(event.object->version);
    record_.bind(static_cast<std::uint64_t>(event.type));
    record_.bind(key.resource);
    record_.bind(key.namespace_);
    record_.bind(key.name);
    record_.bind(event.object->text);
    record_.bind(event.previous ? event.previous->version : 0);
    record_.bind(event.previous ? event.previous->text : kNone);
    return run(record_);
  }

  /// In steps of a hundred writes, so that one write costs no second search.
  bool prune(std::uint64_t version) {
    if (version % 100 != 0 || version <= history_) return true;
    forget_.bind(version - history_);
    return run(forget_);
  }

  [[nodiscard]] tl::unexpected<Error> failure(const char* operation) const {
    return make_error(ErrorKind::internal, operation, path_, sqlite3_errmsg(database_.get()));
  }

  DatabasePtr database_;
  std::string path_;
  std::size_t history_;
  Statement begin_, commit_, rollback_, put_, remove_, record_, forget_, probe_;
};

tl::unexpected<Error> open_failure(const std::string& path, const std::string& cause, std::string hint = {}) {
  if (hint.empty()) hint = "Move the file away to start with an empty state, or start with --in-memory.";
  return make_error(ErrorKind::invalid, "open the state database", path, cause, std::move(hint));
}

/// Brings the tables to what this program works with, all of it or nothing.
Result<> migrate(sqlite3* database, const std::string& path) {
  Statement version(database, "PRAGMA user_version");
  if (!version || version.step() != SQLITE_ROW) return open_failure(path, sqlite3_errmsg(database));
  const std::uint64_t found = version.number(0);
  version.rewind();
  if (found > kMigrations.size()) {
    return open_failure(path,
                        "it was written by a newer version of apiserver-sim (schema " + std::to_string(found) +
                            ", this one knows " + std::to_string(kMigrations.size()) + ")",
                        "Start that version, or use another --data-dir. The file has not been changed.");
  }
  if (found == kMigrations.size()) return {};
  std::string script = "BEGIN IMMEDIATE;";
  for (std::size_t step = found; step < kMigrations.size(); ++step) script += kMigrations.at(step);
  script += "PRAGMA user_version = " + std::to_string(kMigrations.size()) + "; COMMIT;";
  if (sqlite3_exec(database, script.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  auto error = open_failure(path, sqlite3_errmsg(database));
  // Nothing is to be undone where BEGIN has failed, and the connection keeps the code of that failure.
  if (sqlite3_get_autocommit(database) == 0) sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
  return error;
}

/// Takes the file for this process, and brings its tables and settings in order.
Result<> prepare(sqlite3* database, const std::string& path) {
  const auto run = [&](const char* script) -> Result<> {
    if (sqlite3_exec(database, script, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return open_failure(path, sqlite3_errmsg(database));
  };
  if (auto locked = run(kLocking); !locked) return locked;
  if (auto migrated = migrate(database, path); !migrated) return migrated;
  return run(kSettings);
}

/// Names, for a person, the process that holds SQLite's locks on the file. A process of another container has no number
/// here.
std::string lock_holder(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0) return "another process";
  return "process " + std::to_string(lock.l_pid);
}

/// A file that somebody else has open is not broken: moving it away would be the wrong advice.
tl::unexpected<Error> in_use(const std::string& path) {
  return make_error(ErrorKind::unavailable, "open the state database", path,
                    "it is locked: " + lock_holder(path) + " uses it",
                    "Stop that server, or start this one with another --data-dir.");
}

}  // namespace

Result<std::unique_ptr<Journal>> open_sqlite_journal(const std::string& path, std::size_t history) {
  // Made before SQLite opens it, so that it never exists with a wider mode. Closed before, too: closing any descriptor
  // of a file ends the locks that a process has on it.
  Fd made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!made) return make_errno_error("open the state database", path);
  made.reset();
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  DatabasePtr database(raw);
  if (opened != SQLITE_OK) return open_failure(path, sqlite3_errstr(opened));
  sqlite3_busy_timeout(database.get(), 2000);
  if (auto prepared = prepare(database.get(), path); !prepared) {
    const int code = sqlite3_errcode(database.get());
    if (code != SQLITE_BUSY && code != SQLITE_LOCKED) return tl::unexpected(prepared.error());
    database.reset();
    return in_use(path);
  }
  auto journal = std::make_unique<SqliteJournal>(std::move(database), path, history);
  if (!journal->ready()) return open_failure(path, "it is not a database of this program");
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace usbloop::apiserver
