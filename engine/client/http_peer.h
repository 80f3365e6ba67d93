#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/text_map.h"
#include "client/host_stats.h"
#include "client/http_connector.h"
#include "client/stream_pool.h"

namespace perigee::client {

/// Whom requests go to, and how: all that is the same for one and the next. Of a network, which outlives it.
struct HttpPeer {
  /// The target and userinfo of the plan's url do not count.
  HttpPeer(Network& network, HttpConnector::Plan how);
  /// Says which whole lines requests may have in common.
  void have_in_common(std::string lines);

  HttpConnector::Plan plan;
  std::string name;     ///< "host:port"
  std::string host;     ///< the Host field's value
  std::string to_host;  ///< what follows a target: " HTTP/1.1" and the Host field, whole
  HostStats& stats;     ///< of the host
  std::shared_ptr<StreamPool::Shelf> shelf;
  std::string fields;   ///< the lines that requests may have in common
  std::string closing;  ///< what follows a target where nothing else is said: to_host, they, the end; by a proxy none
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

  struct Known {
    std::string origin;  ///< all of a url before the path
    std::shared_ptr<HttpPeer> peer;
  };
  /// The same in fewer steps, of a url with a path whose peer was found a short while ago; null where find() has to be
  /// asked. Whether the rest of the url can be asked for is not looked at. Valid until anything else is asked for here.
  [[nodiscard]] const Known* recall(std::string_view url) const;
  void clear();

 private:
  static constexpr std::size_t kRecent = 8;  ///< peers

  void remember(std::string_view origin, const std::shared_ptr<HttpPeer>& peer);

  TextMap<std::shared_ptr<HttpPeer>> known_;  // by all before the path
  std::array<Known, kRecent> recent_;         // some of them
  std::size_t oldest_ = 0;                    // of those
};

}  // namespace perigee::client
