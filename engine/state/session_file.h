#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "state/session_record.h"

struct sqlite3;
struct sqlite3_stmt;

namespace perigee::state {

/// Sessions on disk: a database of SQLite with a write-ahead log, which this process has to itself. Each row has a
/// checksum. One thread at a time.
class SessionFile {
 public:
  /// Opens the file, or makes it, readable by its owner alone. Fails where it can't be opened, where another process
  /// has it, and where it is something else.
  [[nodiscard]] static Result<std::unique_ptr<SessionFile>> open(const std::string& path);
  ~SessionFile();
  SessionFile(const SessionFile&) = delete;
  SessionFile& operator=(const SessionFile&) = delete;

  /// Calls `take` with every session. Fails where the file is damaged.
  [[nodiscard]] Result<> read(const std::function<void(const SessionRow& row)>& take);

  /// Writes all rows, or removes what has ended, whole and safe from a crash, or nothing.
  [[nodiscard]] Result<> write(const std::vector<const SessionRow*>& rows);

  /// What it has of a session.
  [[nodiscard]] Result<std::optional<SessionRow>> find(std::uint64_t id);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Close>;

  SessionFile(std::string path, std::unique_ptr<sqlite3, Close> database);

  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> check_kind();
  [[nodiscard]] Result<> run(const char* sql);
  [[nodiscard]] Result<std::int64_t> number(const char* sql);
  [[nodiscard]] Result<Statement> prepare(const char* sql);
  [[nodiscard]] Result<> put(const SessionRow& row);
  [[nodiscard]] Result<SessionRow> row_of(sqlite3_stmt& statement) const;
  [[nodiscard]] tl::unexpected<Error> failed() const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
  Statement replace_;
  Statement remove_;
  Statement find_;
};

}  // namespace perigee::state
