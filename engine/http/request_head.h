#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/slice.h"
#include "http/method.h"

namespace perigee::http {

/// The header fields that are looked up by slot instead of by name.
enum class KnownField : std::uint8_t {
  kHost,
  kConnection,
  kContentLength,
  kTransferEncoding,
  kContentType,
  kContentEncoding,
  kExpect,
  kUpgrade,
  kCookie,
  kAccept,
  kAcceptEncoding,
  kAcceptLanguage,
  kUserAgent,
  kReferer,
  kOrigin,
  kAuthorization,
  kIfNoneMatch,
  kIfModifiedSince,
  kIfMatch,
  kIfUnmodifiedSince,
  kIfRange,
  kRange,
  kCacheControl,
  kXForwardedFor,
  kXForwardedProto,
  kXForwardedHost,
  kForwarded,
  kXRequestId,
  kTraceparent,
  kLastEventId,
  kCount
};

/// Bounds on a head, in bytes and fields.
struct HeadLimits {
  std::uint32_t request_line = 8 * 1024;  ///< over it: 414
  std::uint32_t field_line = 8 * 1024;    ///< over it: 431
  std::uint32_t total = 32 * 1024;        ///< all of it; over it: 431
  std::uint32_t fields = 100;             ///< over it: 431; at most RequestHead::kMaxFields
};

/// One header field of a request; the spans count from RequestHead::base.
struct FieldSpans {
  Span name;
  Span value;  ///< without the white space around it
};

/// What a request's head says. Filled by a HeadScanner; valid while the bytes at `base` are, and after they moved once
/// `base` names their new place (all spans count from it).
struct RequestHead {
  static constexpr std::uint32_t kMaxFields = 256;
  static constexpr std::uint16_t kAbsent = 0xffff;
  static constexpr std::int64_t kNoLength = -1;

  const char* base = nullptr;
  std::uint32_t size = 0;  ///< bytes of the head, with the empty line that ends it and any empty line before it
  Method method = Method::kGet;
  std::int32_t minor_version = 1;
  Span method_text;
  Span target;    ///< as received
  Span raw_path;  ///< the path part of the target, still encoded; "/" absent counts as empty
  Span query;     ///< behind the "?", without it; empty when there is none
  Span host;      ///< the authority asked for (absolute-form wins over the Host field); empty on a bare 1.0
  std::int64_t content_length = kNoLength;
  bool chunked = false;
  bool keep_alive = true;  ///< what the client asks for, by version and Connection
  bool expect_continue = false;
  bool upgrade = false;     ///< Connection: upgrade together with an Upgrade field
  bool path_is_raw = true;  ///< raw_path needs no decoding or dot-segment removal: it is the path
  std::uint16_t field_count = 0;
  std::array<std::uint16_t, static_cast<std::size_t>(KnownField::kCount)> known;  ///< index of the first, or kAbsent
  std::array<FieldSpans, kMaxFields> fields;
  std::string decoded_path;  ///< the path when path_is_raw is false

  [[nodiscard]] bool has_body() const { return chunked || content_length > 0; }
  [[nodiscard]] bool field_seen(KnownField slot) const { return known[static_cast<std::size_t>(slot)] != kAbsent; }
  [[nodiscard]] std::string_view text(Span span) const { return span.in(base); }
  /// Decoded once, dot segments resolved, always beginning with "/" (or "*" for OPTIONS *).
  [[nodiscard]] std::string_view path() const { return path_is_raw ? text(raw_path) : std::string_view(decoded_path); }
  /// The first field of that slot; empty when absent (data() is null then).
  [[nodiscard]] std::string_view field(KnownField slot) const {
    const std::uint16_t index = known[static_cast<std::size_t>(slot)];
    return index == kAbsent ? std::string_view() : text(fields[index].value);
  }
  /// The index of the first field called `name` (any case) at or after `from`; kAbsent when there is none.
  [[nodiscard]] std::uint16_t find(std::string_view name, std::uint16_t from = 0) const;
};

/// The slot of a header name in any case; KnownField::kCount for any other name. A perfect hash.
[[nodiscard]] KnownField known_field_of(std::string_view name);

}  // namespace perigee::http
