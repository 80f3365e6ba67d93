#include "state/session_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "state/session_data.h"

namespace perigee::state {
namespace {

constexpr std::int64_t kApplication = 0x50657273;  // "Pers", as the file names its kind

// What is added to monotonic milliseconds to have those since the epoch.
std::int64_t epoch_offset() {
  return std::llround(wall_seconds() * 1000) - monotonic_ms();
}

// What a row says of itself, so that a damaged one is seen.
std::int64_t checksum(std::int64_t id, std::string_view digest, std::int64_t created, std::int64_t used,
                      std::string_view data) {
  const std::int64_t numbers[] = {id, created, used};
  std::string whole(reinterpret_cast<const char*>(numbers), sizeof numbers);
  whole.append(digest).append(data);
  return static_cast<std::int64_t>(SessionToken::digest(whole).words[0]);
}

std::string_view digest_text(const SessionToken::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.words.data()), sizeof digest.words};
}

std::string_view blob(sqlite3_stmt& statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(&statement, column));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(&statement, column)));
}

void bind_bytes(sqlite3_stmt& statement, int index, std::string_view bytes) {
  sqlite3_bind_blob64(&statement, index, bytes.data() != nullptr ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
}

// What was begun and does not reach its end, because memory does, is not left open: nothing could be written after it.
struct Reset {
  sqlite3_stmt& statement;
  ~Reset() { sqlite3_reset(&statement); }
};

struct Rollback {
  sqlite3& database;
  ~Rollback() {
    if (sqlite3_get_autocommit(&database) == 0) {
      sqlite3_exec(&database, "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }
};

}  // namespace

void SessionFile::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

void SessionFile::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SessionFile::SessionFile(std::string path, std::unique_ptr<sqlite3, Close> database)
    : path_(std::move(path)), database_(std::move(database)) {}

SessionFile::~SessionFile() = default;

Result<std::unique_ptr<SessionFile>> SessionFile::open(const std::string& path) {
  // SQLite gives its other files the rights of this one.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return fail("session.file: '" + path + "': " + std::strerror(errno));
  }
  ::close(descriptor);
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int status = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  std::unique_ptr<SessionFile> file(new SessionFile(path, std::unique_ptr<sqlite3, Close>(opened)));
  if (status != SQLITE_OK) {
    return file->failed();
  }
  TRY(file->begin());
  return file;
}

tl::unexpected<Error> SessionFile::failed() const {
  const int code = sqlite3_errcode(database_.get()) & 0xff;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return fail("session.file: '" + path_ + "' is in use by another process");
  }
  return fail("session.file: '" + path_ + "': " + sqlite3_errmsg(database_.get()));
}

Result<> SessionFile::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failed();
  }
  return {};
}

Result<SessionFile::Statement> SessionFile::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return failed();
  }
  return Statement(statement);
}

Result<std::int64_t> SessionFile::number(const char* sql) {
  const Statement statement = TRY(prepare(sql));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) {
    return failed();
  }
  return sqlite3_column_int64(statement.get(), 0);
}

Result<> SessionFile::check_kind() {
  const std::int64_t kind = TRY(number("PRAGMA application_id"));
  const std::int64_t tables = TRY(number("SELECT count(*) FROM sqlite_schema"));
  if (kind != kApplication && (kind != 0 || tables != 0)) {
    return fail("session.file: '" + path_ + "' is a database of something else");
  }
  const std::int64_t version = TRY(number("PRAGMA user_version"));
  if (version > 1) {
    return fail("session.file: '" + path_ + "' was written by a newer version");
  }
  return {};
}

Result<> SessionFile::begin() {
  TRY(run("PRAGMA locking_mode = EXCLUSIVE"));
  TRY(check_kind());
  TRY(run("PRAGMA journal_mode = WAL"));
  TRY(run("PRAGMA synchronous = FULL"));
  TRY(
      run("BEGIN IMMEDIATE;"
          "PRAGMA application_id = 1348825715;"
          "PRAGMA user_version = 1;"
          "CREATE TABLE IF NOT EXISTS sessions (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, created INTEGER NOT NULL,"
          " used INTEGER NOT NULL, data BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;"
          "COMMIT"));
  replace_ = TRY(prepare("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)"));
  remove_ = TRY(prepare("DELETE FROM sessions WHERE id = ?"));
  find_ = TRY(prepare("SELECT * FROM sessions WHERE id = ?"));
  return {};
}

Result<SessionRow> SessionFile::row_of(sqlite3_stmt& statement) const {
  const std::int64_t id = sqlite3_column_int64(&statement, 0);
  const std::string_view digest = blob(statement, 1);
  const std::int64_t created = sqlite3_column_int64(&statement, 2);
  const std::int64_t used = sqlite3_column_int64(&statement, 3);
  const std::string_view data = blob(statement, 4);
  SessionRow row;
  if (digest.size() != sizeof row.digest.words || !SessionEntries::is_sound(data) ||
      sqlite3_column_int64(&statement, 5) != checksum(id, digest, created, used, data)) {
    return fail("session.file: '" + path_ + "' is damaged: session " + std::to_string(id) + " is not what was written");
  }
  std::memcpy(row.digest.words.data(), digest.data(), digest.size());
  const std::int64_t offset = epoch_offset();
  const Milliseconds now = monotonic_ms();
  row.id = static_cast<std::uint64_t>(id);
  row.created = std::min(created - offset, now);  // the clock may have been set back since
  row.used = std::min(used - offset, now);
  row.data = std::make_shared<const std::string>(data);
  return row;
}

Result<> SessionFile::read(const std::function<void(const SessionRow& row)>& take) {
  const Statement all = TRY(prepare("SELECT * FROM sessions"));
  int status = sqlite3_step(all.get());
  for (; status == SQLITE_ROW; status = sqlite3_step(all.get())) {
    take(TRY(row_of(*all)));
  }
  if (status != SQLITE_DONE) {
    return failed();
  }
  return {};
}

Result<std::optional<SessionRow>> SessionFile::find(std::uint64_t id) {
  const Reset reset{*find_};
  sqlite3_bind_int64(find_.get(), 1, static_cast<std::int64_t>(id));
  const int status = sqlite3_step(find_.get());
  Result<std::optional<SessionRow>> found = std::optional<SessionRow>();
  if (status == SQLITE_ROW) {
    Result<SessionRow> row = row_of(*find_);
    found = row ? Result<std::optional<SessionRow>>(std::move(*row)) : tl::unexpected(row.error());
  } else if (status != SQLITE_DONE) {
    found = failed();
  }
  return found;
}

Result<> SessionFile::put(const SessionRow& row) {
  const auto id = static_cast<std::int64_t>(row.id);
  sqlite3_stmt* statement = row.data == nullptr ? remove_.get() : replace_.get();
  const Reset reset{*statement};
  sqlite3_bind_int64(statement, 1, id);
  if (row.data != nullptr) {
    const std::int64_t offset = epoch_offset();
    const std::string_view digest = digest_text(row.digest);
    bind_bytes(*statement, 2, digest);
    sqlite3_bind_int64(statement, 3, row.created + offset);
    sqlite3_bind_int64(statement, 4, row.used + offset);
    bind_bytes(*statement, 5, *row.data);
    sqlite3_bind_int64(statement, 6, checksum(id, digest, row.created + offset, row.used + offset, *row.data));
  }
  if (sqlite3_step(statement) != SQLITE_DONE) {
    return failed();
  }
  return {};
}

Result<> SessionFile::write(const std::vector<const SessionRow*>& rows) {
  TRY(run("BEGIN IMMEDIATE"));
  const Rollback rollback{*database_};
  Result<> written;
  for (auto row = rows.begin(); row != rows.end() && written; ++row) {
    written = put(**row);
  }
  if (written) {
    written = run("COMMIT");
  }
  return written;
}

}  // namespace perigee::state
