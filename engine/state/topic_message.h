#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace perigee::state {

/// What was published, once, for all who receive it. Whoever makes it frames it; Topics stamps it; from then on it
/// never changes and any thread may read it.
struct TopicMessage {
  static constexpr std::size_t kStampSize = 16;  ///< digits of a stamp: microseconds since 1970, until the year 2286

  /// A part of `frame`.
  struct Place {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };

  std::string frame;        ///< as clients are sent it
  Place chunk;              ///< the whole as one chunk of a chunked body
  Place payload;            ///< without the chunk around it
  Place id;                 ///< "" where the publisher gave an empty one
  Place event;              ///< its type, "" without
  Place data;               ///< where `text` is empty
  std::string text;         ///< the data where `frame` has it in several lines
  bool json = false;        ///< the data is JSON; else a text as it was published
  bool stamp_id = false;    ///< the stamp is the id: kStampSize bytes of `frame` wait for it
  std::int64_t retry = -1;  ///< milliseconds, as it was published; below 0: none
  std::uint64_t stamp = 0;  ///< when it was published: larger than that of every message before it

  [[nodiscard]] std::string_view in_chunk() const { return view(chunk); }
  [[nodiscard]] std::string_view bare() const { return view(payload); }
  [[nodiscard]] std::string_view id_text() const { return view(id); }
  [[nodiscard]] std::string_view event_text() const { return view(event); }
  [[nodiscard]] std::string_view data_text() const { return text.empty() ? view(data) : std::string_view(text); }

  /// Bytes it takes in memory, about.
  [[nodiscard]] std::size_t weight() const { return sizeof(TopicMessage) + frame.capacity() + text.capacity(); }

 private:
  [[nodiscard]] std::string_view view(Place place) const {
    return std::string_view(frame).substr(place.at, place.size);
  }
};

using SharedMessage = std::shared_ptr<const TopicMessage>;

}  // namespace perigee::state
