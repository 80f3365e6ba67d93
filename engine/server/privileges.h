#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace perigee::server {

/// Who a process runs as: at first as this one does.
struct Account {
  uid_t user = getuid();
  gid_t group = getgid();
};

/// The account of `user` and `group`, as drop_privileges() takes them. Fails where there is none.
[[nodiscard]] Result<Account> find_account(const std::string& user, const std::string& group);

/// Becomes `user` and `group` ("" keeps each; a user without a group takes the user's own), for good, and gives up
/// gaining privileges by execve(). `files`, which were opened before, become theirs too, so that they can be opened
/// anew. Call after binding ports, before starting threads that use what is bound.
[[nodiscard]] Result<> drop_privileges(const std::string& user, const std::string& group,
                                       const std::vector<std::string>& files);

/// Raises the limit on open descriptors as far as it goes, to `wanted` at most.
void raise_descriptor_limit(std::size_t wanted);

}  // namespace perigee::server
