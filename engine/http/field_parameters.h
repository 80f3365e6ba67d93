#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace perigee::http {

/// A field value with parameters, as Content-Type and Content-Disposition have it: `form-data; name="a"; size=7`.
struct FieldParameters {
  std::string value;                                            ///< what stands first, in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case, values without their quotes

  /// The parameter called `name` (in lower case); null without one.
  [[nodiscard]] const std::string* find(std::string_view name) const;
};

/// Reads RFC 9110 section 5.6.6 parameters behind a token or a media type. A quoted value may hold any bytes but
/// controls; in it a backslash hides a quote or a backslash and else stands for itself, since some clients send paths
/// so (RFC 7578 section 4.2 leaves it open). Refuses a parameter given twice and anything else that is not of that
/// form.
[[nodiscard]] Result<FieldParameters> parse_field_parameters(std::string_view text);

/// The UTF-8 text of an extended value, `UTF-8''na%C3%AFve` or in ISO-8859-1 (RFC 8187 section 3.2). Nothing where the
/// charset is another or the form is not that.
[[nodiscard]] std::optional<std::string> decode_extended_value(std::string_view text);

/// What stands behind the last slash or backslash of a file's name; "" of ".", "..", and of a name with a NUL.
[[nodiscard]] std::string last_path_component(std::string_view name);

}  // namespace perigee::http
