#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "client/host_stats.h"
#include "client/http_connector.h"
#include "client/stream_pool.h"

namespace perigee::client {

/// Whom requests go to, and how: all that is the same for one and the next. Of a network, which outlives it.
struct HttpPeer {
  /// The target and userinfo of the plan's url do not count.
  HttpPeer(Network& network, HttpConnector::Plan how);

  HttpConnector::Plan plan;
  std::string key;      ///< plan.key()
  std::string name;     ///< "host:port"
  std::string host;     ///< the Host field's value
  std::string to_host;  ///< what follows a target: " HTTP/1.1" and the Host field, whole
  HostStats& stats;     ///< of the host
  std::shared_ptr<StreamPool::Shelf> shelf;
  std::string fields;               ///< whole lines that requests may have in common; the owner's
  mutable std::uint32_t label = 0;  ///< the owner's
};

/// How to reach the url's host where nothing is said about it: by the environment's proxy and the configuration.
[[nodiscard]] HttpConnector::Plan usual_plan(const Network& network, http::ClientUrl url);

/// The peers of urls of which nothing else is said, each made once. Loop thread only.
class HttpPeers {
 public:
  static constexpr std::size_t kMost = 256;  ///< then all are forgotten, and made anew

  struct Found {
    std::shared_ptr<HttpPeer> peer;
    std::string target;   ///< of this url
    bool is_new = false;  ///< made just now: the owner's members are to be filled
  };

  /// The error is one for a person, as parse_client_url() has it.
  [[nodiscard]] Result<Found> find(Network& network, std::string_view url);
  void clear() { known_.clear(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, std::shared_ptr<HttpPeer>, Hash, std::equal_to<>> known_;  // by all before the path
};

}  // namespace perigee::client
