#include "server/place_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>

#include "server/privileges.h"

namespace perigee::server {
namespace {

using Faults = std::vector<OptionFault>;

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

bool is_self(const Account& who) {
  return who.user == getuid() && who.group == getgid();
}

// Whether `who` may write into what stands there. Of somebody else only the mode is known.
bool may_write(const std::string& path, const struct stat& found, const Account& who) {
  if (is_self(who)) {
    return access(path.c_str(), S_ISDIR(found.st_mode) ? W_OK | X_OK : W_OK) == 0;
  }
  if (who.user == 0) {
    return true;
  }
  const mode_t wanted = S_ISDIR(found.st_mode) ? S_IWOTH | S_IXOTH : S_IWOTH;
  const int shift = who.user == found.st_uid ? 6 : who.group == found.st_gid ? 3 : 0;
  return (found.st_mode >> shift & wanted) == wanted;
}

// What keeps `who` from making a file in the folder of `path`; "" for nothing.
std::string fault_of_folder(const std::string& path, const Account& who) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0) {
    return "its folder " + quoted(folder) + ": " + std::strerror(errno);
  }
  if (!S_ISDIR(found.st_mode)) {
    return "its folder " + quoted(folder) + " is no folder";
  }
  return may_write(folder, found, who) ? "" : "its folder " + quoted(folder) + " can't be written";
}

// What keeps `who` from writing a file, which is made where there is none; "" for nothing.
std::string fault_of_file(const std::string& path, const Account& who) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? fault_of_folder(path, who) : std::strerror(errno);
  }
  if (S_ISDIR(found.st_mode)) {
    return "is a folder";
  }
  return may_write(path, found, who) ? "" : "can't be written";
}

void note(Faults& faults, const char* option, const std::string& path, const std::string& fault) {
  if (!fault.empty()) {
    faults.push_back({option, 0, std::string(option) + ": " + quoted(path) + ": " + fault});
  }
}

void check_log(const char* option, const std::string& target, Faults& faults) {
  if (target != "off" && target != "stdout" && target != "stderr") {
    note(faults, option, target, fault_of_file(target, {}));  // opened before the server becomes its user
  }
}

void check_session_file(const std::string& path, const Account& who, Faults& faults) {
  if (path.empty()) {
    return;
  }
  std::string fault = fault_of_file(path, who);
  if (fault.empty()) {
    fault = fault_of_folder(path, who);  // the database keeps others beside it
  }
  note(faults, "session.file", path, fault);
}

std::optional<Account> check_account(const Options& options, Faults& faults) {
  if (const auto user = find_account(options.user, ""); !user) {
    faults.push_back({"server.user", 0, user.error().message});
  }
  if (const auto group = find_account("", options.group); !group) {
    faults.push_back({"server.group", 0, group.error().message});
  }
  const auto account = find_account(options.user, options.group);
  return account ? std::optional(*account) : std::nullopt;
}

}  // namespace

std::vector<OptionFault> check_places(const Options& options) {
  Faults faults;
  const std::optional<Account> account = check_account(options, faults);
  check_log("log.access", options.access, faults);
  check_log("log.error", options.log_error, faults);
  if (account) {
    check_session_file(options.session_file, *account, faults);
  }
  return faults;
}

}  // namespace perigee::server
