#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_map.h"
#include "base/timer_wheel.h"
#include "net/stream.h"

namespace perigee::client {

/// A connection that was used before.
struct PooledStream {
  std::unique_ptr<net::Stream> stream;   ///< null: there was none
  int uses = 0;                          ///< how often it had been taken from a pool
  std::shared_ptr<void> mark = nullptr;  ///< whatever is to live as long as the connection
};

/// Connections that nobody uses, kept for the next who wants the same: by a key that says everything that must be
/// equal. One on which anything happens meanwhile, the peer's goodbye or bytes that nobody asked for, is dropped at
/// once; so none hands another request's bytes on. Loop thread only.
class StreamPool {
  class Idle;
  using List = std::list<Idle>;

 public:
  static constexpr std::size_t kMost = 1024;  ///< in all: the one that waited longest goes first

  /// Those of one key. Who asks for the same again and again keeps it, and needs no key then.
  class Shelf {
   public:
    explicit Shelf(std::string_view name) : key(name) {}

   private:
    friend class StreamPool;
    const std::string key;
    std::vector<List::iterator> idle;  // given last stands last
    std::uint64_t turn = 0;            // of the loop, in which one was given last
    std::size_t fresh = 0;             // how many were given in it, and are at the end of `idle` where none was taken
  };

  StreamPool() = default;
  StreamPool(const StreamPool&) = delete;
  StreamPool& operator=(const StreamPool&) = delete;

  [[nodiscard]] std::shared_ptr<Shelf> shelf(std::string_view key);

  /// How late it is found out that something has come on a connection.
  enum class Look : std::uint8_t {
    kNow,  ///< when it is taken, which costs a system call
    kTurn  ///< when the loop looked last: for who can do without an answer, and ask again
  };

  /// The one that was given last; where a look by the turn is enough, of those that had one, if there is any.
  [[nodiscard]] PooledStream take(Shelf& shelf, Look look = Look::kNow);
  [[nodiscard]] PooledStream take(std::string_view key);

  /// Keeps a stream until a time of monotonic_ms(); of more than `most` with this key the oldest goes. One that is not
  /// quiet is never given out. REQUIRES: most > 0.
  void give(const std::shared_ptr<Shelf>& shelf, PooledStream stream, Milliseconds until, std::size_t most);
  void give(std::string_view key, PooledStream stream, Milliseconds until, std::size_t most);

  [[nodiscard]] std::size_t size() const { return idle_.size(); }
  [[nodiscard]] std::size_t size(std::string_view key) const;
  void clear();

 private:
  static constexpr std::size_t kSpare = 256;

  class Idle {
   public:
    explicit Idle(StreamPool& owner) : pool(owner), timer(*this) {}

    StreamPool& pool;
    std::shared_ptr<Shelf> shelf;
    PooledStream pooled;
    std::uint64_t turn = 0;  // of the loop, in which it was given
    List::iterator place;

    void expire() { pool.drop(place); }
    void watch();
    TimerOf<Idle, &Idle::expire> timer;
  };

  void drop(List::iterator place);
  void retire(List::iterator place);
  [[nodiscard]] static bool looked_at(const Idle& idle);
  [[nodiscard]] static List::iterator pick(Shelf& shelf, Look look);

  List idle_;   // given last stands first
  List spare_;  // without a stream: to be used again
  TextMap<std::shared_ptr<Shelf>> shelves_;
};

}  // namespace perigee::client
