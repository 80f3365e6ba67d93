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

Result<> drop_privileges(const std::string& user, const std::string& group) {
  gid_t gid = getgid();
  const passwd* account = nullptr;
  if (!user.empty()) {
    account = getpwnam(user.c_str());
    if (account == nullptr) {
      return fail("server.user: there is no user '" + user + "'");
    }
    gid = account->pw_gid;
  }
  if (!group.empty()) {
    const ::group* entry = getgrnam(group.c_str());
    if (entry == nullptr) {
      return fail("server.group: there is no group '" + group + "'");
    }
    gid = entry->gr_gid;
  }
  if (account != nullptr || !group.empty()) {
    const bool supplementary = geteuid() != 0 || setgroups(1, &gid) == 0;
    if (!supplementary || setgid(gid) != 0 || (account != nullptr && setuid(account->pw_uid) != 0)) {
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
