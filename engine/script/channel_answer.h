#pragma once

#include <string>
#include <vector>

namespace perigee::script {

/// An answer that makes the connection a subscriber: what app:channel's function returned.
struct ChannelAnswer {
  /// Whom the topics' members list the client as.
  struct Member {
    std::string key;   ///< connections of one key are one member; "" for none
    std::string data;  ///< JSON
  };

  std::vector<std::string> topics;  ///< at least one, none twice
  Member member;
};

}  // namespace perigee::script
