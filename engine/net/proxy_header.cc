#include "net/proxy_header.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace perigee::net {
namespace {

using Verdict = ProxyHeader::Verdict;

constexpr std::string_view kTextSignature = "PROXY ";
constexpr std::string_view kBinarySignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedSize = 16;  // signature, version and command, family and protocol, length
constexpr std::size_t kTlvHead = 3;     // type, length
constexpr std::uint8_t kTlvSsl = 0x20;  // PP2_TYPE_SSL
constexpr std::size_t kSslFixed = 5;    // client, verify

ProxyHeader malformed(std::string_view reason) {
  ProxyHeader header;
  header.verdict = Verdict::kMalformed;
  header.reason = reason;
  return header;
}

// --- version 1 -------------------------------------------------------------------------------------------------------

// The next word of a line whose words stand one space apart.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && (text.size() == 1 || text.front() != '0') ? std::optional(port) : std::nullopt;
}

bool is_family(std::string_view protocol, std::string_view address) {
  return (address.find(':') != std::string_view::npos) == (protocol == "TCP6");
}

ProxyHeader read_text(std::string_view bytes) {
  const std::string_view window = bytes.substr(0, ProxyHeader::kMostText);
  const std::size_t end = window.find("\r\n");
  if (end == std::string_view::npos) {
    return window.size() < ProxyHeader::kMostText ? ProxyHeader() : malformed("its line is too long");
  }
  ProxyHeader header;
  header.verdict = Verdict::kComplete;
  header.size = end + 2;
  std::string_view line = window.substr(kTextSignature.size(), end - kTextSignature.size());
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") {
    return header;  // section 2.1: whatever follows on the line is ignored
  }
  const std::string_view source = take_word(line);
  const std::string_view destination = take_word(line);
  const auto source_port = parse_port(take_word(line));
  const auto client = PeerAddress::parse(source);
  if ((protocol != "TCP4" && protocol != "TCP6") || !client || !PeerAddress::parse(destination) ||
      !is_family(protocol, source) || !is_family(protocol, destination) || !source_port || !parse_port(line)) {
    return malformed("its line is not PROXY TCP4|TCP6 SOURCE DESTINATION PORT PORT");
  }
  header.told = true;
  header.client = *client;
  header.client.port = *source_port;
  return header;
}

// --- version 2 -------------------------------------------------------------------------------------------------------

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint16_t>(byte_at(bytes, index) << 8 | byte_at(bytes, index + 1));
}

// Source and destination of each family, and their ports (section 2.2).
std::size_t addresses_size(int family) {
  constexpr std::size_t kSizes[] = {0, 12, 36, 216};
  return kSizes[family];
}

PeerAddress source_of(int family, std::string_view addresses) {
  PeerAddress peer;
  if (family == 3) {
    peer.family = AF_UNIX;
    return peer;
  }
  const std::size_t address = family == 1 ? 4 : 16;
  return PeerAddress::of(family == 1 ? AF_INET : AF_INET6, addresses.data(), number_at(addresses, 2 * address));
}

// Type, length, value, one after the other (section 2.2): of all only whether TLS was spoken. False when they are
// cut off.
bool read_tlvs(std::string_view tlvs, bool& secure) {
  while (!tlvs.empty()) {
    if (tlvs.size() < kTlvHead || tlvs.size() - kTlvHead < number_at(tlvs, 1)) {
      return false;
    }
    const std::string_view value = tlvs.substr(kTlvHead, number_at(tlvs, 1));
    if (byte_at(tlvs, 0) == kTlvSsl) {
      if (value.size() < kSslFixed) {
        return false;
      }
      secure = (byte_at(value, 0) & 1) != 0;  // PP2_CLIENT_SSL
    }
    tlvs.remove_prefix(kTlvHead + value.size());
  }
  return true;
}

ProxyHeader read_told(ProxyHeader header, std::uint8_t kind, std::string_view rest) {
  const int family = kind >> 4;
  const int protocol = kind & 0xf;
  if (family > 3 || protocol > 2) {
    return malformed("its address family or protocol is not assigned");
  }
  if (rest.size() < addresses_size(family)) {
    return malformed("its length leaves no room for its addresses");
  }
  if (!read_tlvs(rest.substr(addresses_size(family)), header.secure)) {
    return malformed("its TLVs are cut off");
  }
  header.told = family != 0 && protocol == 1;  // a stream; else the connection's own ends count (section 2.2)
  if (header.told) {
    header.client = source_of(family, rest);
  }
  return header;
}

ProxyHeader read_binary(std::string_view bytes) {
  if (bytes.size() > kBinarySignature.size() && byte_at(bytes, kBinarySignature.size()) >> 4 != 2) {
    return malformed("its version is not 2");
  }
  if (bytes.size() < kFixedSize) {
    return {};
  }
  const std::uint8_t command = byte_at(bytes, 12) & 0xf;
  if (command > 1) {
    return malformed("its command is neither LOCAL nor PROXY");
  }
  ProxyHeader header;
  header.size = kFixedSize + number_at(bytes, 14);
  if (header.size > ProxyHeader::kMostBinary) {
    return malformed("it is too long");
  }
  if (bytes.size() < header.size) {
    return {};
  }
  header.verdict = Verdict::kComplete;
  if (command == 0) {
    return header;  // LOCAL: the proxy speaks for itself, whatever else stands there
  }
  return read_told(header, byte_at(bytes, 13), bytes.substr(kFixedSize, header.size - kFixedSize));
}

bool may_become(std::string_view bytes, std::string_view signature) {
  return bytes.substr(0, signature.size()) == signature.substr(0, bytes.size());
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  if (may_become(bytes, kTextSignature)) {
    return bytes.size() < kTextSignature.size() ? ProxyHeader() : read_text(bytes);
  }
  if (may_become(bytes, kBinarySignature)) {
    return bytes.size() < kBinarySignature.size() ? ProxyHeader() : read_binary(bytes);
  }
  return malformed("there is none");
}

}  // namespace perigee::net
