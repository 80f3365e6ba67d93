#include "server/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace perigee::server {

Result<Account> find_account(const std::string& user, const std::string& group) {
  Account account;
  if (!user.empty()) {
    const passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr) {
      return fail("server.user: there is no user '" + user + "'");
    }
    account = {entry->pw_uid, entry->pw_gid};
  }
  if (!group.empty()) {
    const ::group* entry = getgrnam(group.c_str());
    if (entry == nullptr) {
      return fail("server.group: there is no group '" + group + "'");
    }
    account.group = entry->gr_gid;
  }
  return account;
}

Result<> drop_privileges(const std::string& user, const std::string& group, const std::vector<std::string>& files) {
  const Account account = TRY(find_account(user, group));
  if (!user.empty() || !group.empty()) {
    for (const std::string& file : files) {
      if (chown(file.c_str(), account.user, account.group) != 0) {
        const char* why = std::strerror(errno);
        return fail(
            std::string("can't give ").append(file).append(" to user '").append(user).append("': ").append(why));
      }
    }
    const bool supplementary = geteuid() != 0 || setgroups(1, &account.group) == 0;
    if (!supplementary || setgid(account.group) != 0 || setuid(account.user) != 0) {
      return fail("can't become user '" + user + "', group '" + group + "': " + std::strerror(errno));
    }
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return {};
}

void raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted : std::min<rlim_t>(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace perigee::server
