#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_map.h"
#include "state/topic.h"
#include "state/topic_inbox.h"
#include "state/topic_message.h"

namespace perigee::state {

/// The topics of all workers: who listens to each, what was published last, who its members are. A topic is there from
/// the first use of its name, and is forgotten when nobody listens and nothing of it is kept.
///
/// Every message gets a stamp: the time in microseconds, or one more than the stamp before where that is not larger. So
/// the stamps of all topics are one order, which outlives topics and restarts of the server, and every inbox is filled
/// in it: a client that has seen one stamp has seen all before it, of every topic it listens to. That is what one short
/// lock for all topics is taken for.
///
/// Any thread may call any of it.
class Topics {
 public:
  struct Settings {
    std::size_t history = 100;              ///< messages that a topic keeps
    std::int64_t keep = 300'000'000;        ///< microseconds that it keeps them
    std::size_t memory = 64 * 1024 * 1024;  ///< bytes of what all topics keep together
  };
  static constexpr std::size_t kNameLimit = 255;  ///< bytes

  /// What is wrong with a topic's name.
  enum class NameFault : std::uint8_t { kNone, kEmpty, kTooLong, kControl };
  [[nodiscard]] static NameFault fault_of(std::string_view name);
  /// Where its first control byte stands, if it has any.
  [[nodiscard]] static std::optional<std::size_t> control_in(std::string_view name);

  /// A topic, and the number by which its messages are to be delivered.
  struct Wanted {
    std::string_view topic;
    std::uint64_t subscription = 0;
  };
  /// Messages up to `stamp` are in `replay`, or were published before; later ones come to the inbox.
  struct Joined {
    std::uint64_t stamp = 0;
    std::vector<SharedMessage> replay;  ///< in the order of their stamps
  };

  void apply(const Settings& settings);

  /// Stamps the message, keeps it and hands it to every inbox that listens to the topic. Returns the stamp. Never waits
  /// for anybody to receive it.
  std::uint64_t publish(std::string_view topic, std::shared_ptr<TopicMessage> message);

  /// Has the topics' messages come to `inbox`, from one moment for all of them. `last_id`, if there is one, asks for
  /// what was kept since the message of that id: where none has it, a number is taken for a stamp, and what is
  /// neither asks for all that is kept. An inbox that listens already goes on by its first number.
  [[nodiscard]] Joined subscribe(const std::shared_ptr<TopicInbox>& inbox, std::span<const Wanted> wanted,
                                 std::optional<std::string_view> last_id);

  /// Ends it for one topic.
  void unsubscribe(const TopicInbox& inbox, std::string_view topic);

  /// Counts one more connection of the member called `key`, whose data (JSON) is shown from now on; with the first
  /// one `message` is published.
  void join(std::string_view topic, std::string_view key, std::string_view data, std::shared_ptr<TopicMessage> message);
  /// Counts one less; with the last one the member goes and `message` is published.
  void leave(std::string_view topic, std::string_view key, std::shared_ptr<TopicMessage> message);

  /// The data of a topic's members, those who came first first.
  [[nodiscard]] std::vector<std::string> members(std::string_view topic);

  /// How many topics there are, the bytes of the messages they keep, and how many were published so far: those that
  /// tell of members included.
  struct Size {
    std::size_t topics = 0;
    std::size_t bytes = 0;
    std::uint64_t published = 0;
  };
  [[nodiscard]] Size size();

  /// Forgets what is kept for too long. publish() and subscribe() do so too; this is for when neither is called.
  void sweep();

 private:
  using Garbage = std::vector<SharedMessage>;
  // What is left to do when the lock has been given back: whoever makes one does so before he takes the lock.
  struct Aftermath {
    Aftermath() = default;
    Aftermath(const Aftermath&) = delete;
    Aftermath& operator=(const Aftermath&) = delete;
    ~Aftermath();

    Garbage garbage;
    std::vector<std::shared_ptr<TopicInbox>> sleeping;  // woken at the end
  };

  [[nodiscard]] Topic* find(std::string_view name);
  [[nodiscard]] Topic& open(std::string_view name);
  [[nodiscard]] std::uint64_t next_stamp();
  [[nodiscard]] std::uint64_t position(std::span<const Wanted> wanted, std::string_view last_id);
  std::uint64_t publish_locked(Topic& topic, std::shared_ptr<TopicMessage> message, Aftermath& aftermath);
  void keep(Topic& topic, const SharedMessage& message, Garbage& garbage);
  void drop_oldest(Topic& topic, Garbage& garbage);
  void trim(Garbage& garbage);
  void forget_if_idle(Topic& topic);

  std::mutex mutex_;  // guards all of it
  Settings settings_;
  std::uint64_t last_stamp_ = 0;
  TextMap<std::unique_ptr<Topic>> topics_;
  std::list<Topic*> kept_;  // topics that keep messages, the one published to longest ago first
  std::size_t bytes_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t joined_ = 0;  // members that ever came: their order
};

}  // namespace perigee::state
