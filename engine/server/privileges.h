#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace perigee::server {

/// Becomes `user` and `group` ("" keeps each; a user without a group takes the user's own), for good, and gives up
/// gaining privileges by execve(). `files`, which were opened before, become theirs too, so that they can be opened
/// anew. Call after binding ports, before starting threads that use what is bound.
[[nodiscard]] Result<> drop_privileges(const std::string& user, const std::string& group,
                                       const std::vector<std::string>& files);

/// Raises the limit on open descriptors as far as it goes, to `wanted` at most.
void raise_descriptor_limit(std::size_t wanted);

}  // namespace perigee::server
