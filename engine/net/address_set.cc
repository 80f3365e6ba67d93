#include "net/address_set.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace perigee::net {
namespace {

constexpr int kMappedBits = 96;  // what an IPv4 address within IPv6 is preceded by

std::optional<int> parse_bits(std::string_view text) {
  int bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && bits >= 0 && (text.size() == 1 || text.front() != '0') ? std::optional(bits) : std::nullopt;
}

// Byte `index` of a netmask.
std::uint8_t mask_byte(int bits, std::size_t index) {
  const int here = std::clamp(bits - static_cast<int>(index) * 8, 0, 8);
  return static_cast<std::uint8_t>(0xff00 >> here);
}

bool has_host_bits(const PeerAddress& address, int bits) {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    if ((address.bytes[i] & ~mask_byte(bits, i)) != 0) {
      return true;
    }
  }
  return false;
}

bool same_network(const PeerAddress& one, const PeerAddress& two, int bits) {
  if (one.family != two.family) {
    return false;
  }
  for (std::size_t i = 0; i < one.bytes.size(); ++i) {
    if (((one.bytes[i] ^ two.bytes[i]) & mask_byte(bits, i)) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<> AddressSet::add(std::string_view text) {
  if (text == "unix") {
    unix_ = true;
    return {};
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::optional<PeerAddress> address = PeerAddress::parse(text.substr(0, slash));
  if (!address) {
    return fail("no IP address");
  }
  const bool wide = text.substr(0, slash).find(':') != std::string_view::npos;
  const bool mapped = wide && address->family == AF_INET;
  int bits = wide ? 128 : 32;
  if (slash < text.size()) {
    const std::optional<int> given = parse_bits(text.substr(slash + 1));
    if (!given || *given > bits || (mapped && *given < kMappedBits)) {
      return fail("no prefix length of that kind of address");
    }
    bits = *given;
  }
  bits -= mapped ? kMappedBits : 0;
  if (has_host_bits(*address, bits)) {
    return fail("bits are set behind the prefix");
  }
  networks_.push_back({*address, bits});
  return {};
}

bool AddressSet::contains(const PeerAddress& peer) const {
  if (peer.family == AF_UNIX) {
    return unix_;
  }
  return std::any_of(networks_.begin(), networks_.end(),
                     [&peer](const Network& network) { return same_network(peer, network.address, network.bits); });
}

}  // namespace perigee::net
