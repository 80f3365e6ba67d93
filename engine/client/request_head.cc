#include "client/request_head.h"

namespace perigee::client {
namespace {

void append_framing(std::string& output, const HttpCall::Request& request) {
  if (request.streams) {
    output += "Transfer-Encoding: chunked\r\n";
  } else if (request.has_body) {
    output.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
}

// Whether nothing is said of it but method and target.
bool is_usual(const HttpCall::Request& request) {
  return request.usual_fields && !request.peer->closing.empty() && request.fields.empty() && request.host.empty() &&
         !request.streams && !request.has_body;
}

}  // namespace

void append_head(std::string& output, const HttpCall::Request& request) {
  const HttpPeer& peer = *request.peer;
  if (is_usual(request)) {
    output.append(request.method).append(1, ' ').append(request.target).append(peer.closing);
    return;
  }
  const HttpConnector::Plan& plan = peer.plan;
  const bool by_proxy = plan.proxy && !plan.url.secure;
  output.append(request.method).append(1, ' ');
  if (by_proxy) {
    output.append("http://").append(peer.host);
  }
  output += request.target;
  if (request.host.empty()) {
    output += peer.to_host;
  } else {
    output.append(" HTTP/1.1\r\nHost: ").append(request.host).append("\r\n");
  }
  if (request.usual_fields) {
    output += peer.fields;
  }
  output += request.fields;
  if (by_proxy && !plan.proxy->credentials.empty()) {
    output.append("Proxy-Authorization: ").append(plan.proxy->credentials).append("\r\n");
  }
  append_framing(output, request);
  output += "\r\n";
}

}  // namespace perigee::client
