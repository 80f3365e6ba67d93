#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace perigee {
namespace {

constexpr std::size_t kDigestSize = 32;

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const char* digits_of(Base64 alphabet) {
  return alphabet == Base64::kStandard ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                                       : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}

}  // namespace

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t filled = 0; filled < size;) {
    const ssize_t got = getrandom(bytes.data() + filled, size - filled, 0);
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      std::abort();  // no kernel that runs this lacks it: going on without would be worse
    }
  }
  return bytes;
}

std::uint64_t random_number() {
  const std::string bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

std::string sha256(std::string_view text) {
  std::string digest(kDigestSize, '\0');
  EVP_Digest(text.data(), text.size(), bytes_of(digest), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  return hmac(Digest::kSha256, key, text);
}

std::string hmac(Digest digest, std::string_view key, std::string_view text) {
  const EVP_MD* const kind = digest == Digest::kSha1     ? EVP_sha1()
                             : digest == Digest::kSha512 ? EVP_sha512()
                                                         : EVP_sha256();
  std::string code(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
  const std::string_view no_null = key.data() != nullptr ? key : std::string_view("", 0);
  HMAC(kind, no_null.data(), static_cast<int>(no_null.size()), bytes_of(text), text.size(), bytes_of(code), nullptr);
  return code;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  const auto value_of = [](char digit) {
    if (digit >= '0' && digit <= '9') {
      return digit - '0';
    }
    const char lower = static_cast<char>(digit | 32);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = value_of(text[i]);
    const int low = value_of(text[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return text.size() % 2 == 0 ? std::optional(bytes) : std::nullopt;
}

std::string to_base64(std::string_view bytes, Base64 alphabet) {
  const char* const digits = digits_of(alphabet);
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) {
      text += digits[bits >> (held - 6) & 63];
    }
  }
  if (held > 0) {
    text += digits[bits << (6 - held) & 63];
  }
  while (alphabet == Base64::kStandard && text.size() % 4 != 0) {
    text += '=';
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text, Base64 alphabet) {
  const std::string_view digits = digits_of(alphabet);
  const std::size_t whole = text.size();
  while (!text.empty() && text.back() == '=' && whole % 4 == 0 && whole - text.size() < 2) {
    text.remove_suffix(1);
  }
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char digit : text) {
    const std::size_t value = digits.find(digit);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 255);
    }
  }
  const bool left_over = held >= 6 || (bits & ((1U << held) - 1)) != 0;
  return left_over ? std::nullopt : std::optional(bytes);
}

}  // namespace perigee
