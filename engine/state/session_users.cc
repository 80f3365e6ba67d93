#include "state/session_users.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/crypto.h"
#include "state/session_token.h"

namespace perigee::state {
namespace {

// Clients may choose what they are called: they must not be able to choose where they go. Takes no memory.
std::uint64_t hash_of(std::string_view user) {
  static const std::array<std::uint64_t, 2> kSeed{random_number(), random_number()};
  const SessionToken::Digest plain = SessionToken::digest(user);
  std::array<std::uint64_t, kSeed.size() + plain.words.size()> seeded{};
  std::copy(plain.words.begin(), plain.words.end(), std::copy(kSeed.begin(), kSeed.end(), seeded.begin()));
  return SessionToken::digest({reinterpret_cast<const char*>(seeded.data()), sizeof seeded}).words[0];
}

}  // namespace

void SessionUsers::move(UserLink& link, std::string user) noexcept {
  if (link.user == user) {
    return;
  }
  if (!link.user.empty()) {
    Part& part = part_of(link.hash);
    const std::lock_guard lock(part.mutex);
    part.links.remove(link);
  }
  link.user = std::move(user);
  if (!link.user.empty()) {
    link.hash = hash_of(link.user);
    Part& part = part_of(link.hash);
    const std::lock_guard lock(part.mutex);
    part.links.insert(link);
  }
}

std::vector<SessionRef> SessionUsers::of(std::string_view user) {
  const std::uint64_t hash = hash_of(user);
  std::vector<SessionRef> sessions;
  Part& part = part_of(hash);
  const std::lock_guard lock(part.mutex);
  for (const UserLink* link = part.links.first(hash); link != nullptr; link = link->next) {
    if (link->user == user) {
      sessions.emplace_back(link->session);
    }
  }
  return sessions;
}

}  // namespace perigee::state
