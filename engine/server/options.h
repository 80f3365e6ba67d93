#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace perigee::server {

/// A shared dictionary of [shared.NAME].
struct DictionaryOptions {
  std::int64_t size = 0;  ///< 0: as shared_size says
  bool pin = false;

  bool operator==(const DictionaryOptions&) const = default;
};

/// Everything the configuration can say, with its defaults. What each field means stands in the option table, which
/// also feeds conf/server.toml, `--set` and `perigee check`. Times are in seconds, sizes in bytes.
struct Options {
  // [server]
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  std::string app = "lua/app.lua";
  std::int64_t workers = 0;
  std::string accept = "reuseport";
  bool pin = false;
  std::int64_t backlog = 1024;
  std::string user;
  std::string group;
  double drain = 30;
  double reload_timeout = 10;
  std::vector<std::string> trusted_proxies;
  std::string proxy_protocol = "off";

  // [http]
  std::int64_t request_line = 8 * 1024;
  std::int64_t field_line = 8 * 1024;
  std::int64_t head = 32 * 1024;
  std::int64_t fields = 100;
  std::int64_t pipeline = 64;
  std::int64_t output_watermark = 1024 * 1024;
  std::int64_t body_buffer = 64 * 1024;
  std::int64_t upload_memory = 64 * 1024;
  std::string upload_folder;
  double head_timeout = 10;
  double body_timeout = 10;
  std::int64_t body_rate = 500;
  double idle_timeout = 60;
  double write_timeout = 30;

  // [limits]
  std::int64_t body = 1024 * 1024;
  double time = 30;
  double cpu = 1;
  double blocked = 0.05;
  std::int64_t memory = std::int64_t{256} * 1024 * 1024;
  std::int64_t vm_memory = std::int64_t{512} * 1024 * 1024;
  std::int64_t vm_memory_most = std::int64_t{1024} * 1024 * 1024;
  std::int64_t connections = 10'000;
  std::int64_t connections_per_address = 1'000;
  std::int64_t json_depth = 64;
  std::int64_t form_fields = 1'000;
  std::int64_t form_files = 100;

  // [session]
  std::string session_cookie = "session";
  double session_idle = 30 * 60;
  double session_absolute = 12 * 60 * 60;
  std::int64_t session_max = 1'000'000;
  std::int64_t session_size = 64 * 1024;
  std::string session_file;
  std::string session_durability = "sync";
  double session_window = 1;

  // [static]
  std::int64_t static_files = 1'000;
  std::int64_t static_memory = 16 * 1024 * 1024;
  std::int64_t sendfile_from = 64 * 1024;
  double static_check = 1;

  // [client]
  std::vector<std::string> nameservers;
  double name_timeout = 2;
  std::int64_t name_tries = 2;
  std::int64_t names = 1'000;
  std::int64_t pool_size = 32;
  double pool_idle = 60;
  std::int64_t client_receive = 64 * 1024 * 1024;
  std::int64_t client_body = 16 * 1024 * 1024;
  bool block_private = false;
  std::string ca_file;

  // [background]
  std::int64_t background_threads = 0;
  std::int64_t background_queue = 1'000;
  double background_cpu = 60;

  // [shared]
  std::int64_t shared_size = 10 * 1024 * 1024;
  std::map<std::string, DictionaryOptions, std::less<>> shared;  ///< by name: each a [shared.NAME]

  // [channels]
  std::int64_t channel_message = 64 * 1024;
  std::int64_t channel_history = 100;
  double channel_keep = 300;
  std::int64_t channel_memory = 64 * 1024 * 1024;
  std::int64_t channel_queue = 1'000;
  double channel_heartbeat = 15;

  // [log]
  std::string log_level = "info";
  std::string log_format = "text";
  std::string log_error = "stderr";
  std::string access = "stdout";
  std::string access_format = "combined";
  std::vector<std::string> access_skip = {"/healthz"};

  // [errors]
  std::vector<std::string> errors_ignore;
  std::int64_t errors_kinds = 500;

  // [admin]
  std::string admin_listen = "127.0.0.1:9145";
  std::string admin_token;

  // [dev]
  bool dev = false;
  std::vector<std::string> dev_watch = {".lua", ".html", ".toml"};
  std::vector<std::string> dev_ignore = {"node_modules", "build"};
  std::int64_t dev_folders = 1'000;

  /// [app], the user's own table, as JSON text: `perigee.config` in Lua.
  std::string app_config = "{}";
};

/// What kind of value an option takes, and how it is written.
enum class OptionType : std::uint8_t {
  kInteger,
  kSize,     ///< an integer of bytes, or a string with a unit: "1MB" = 10^6, "1MiB" = 2^20
  kSeconds,  ///< a number, fractions allowed
  kBoolean,
  kString,
  kSecret,  ///< a string that no message and no listing shows
  kChoice,  ///< a string out of `choices`
  kStringList
};

using OptionMember = std::variant<std::int64_t Options::*, double Options::*, bool Options::*, std::string Options::*,
                                  std::vector<std::string> Options::*>;

/// One row of the option table.
struct OptionSpec {
  std::string_view section;
  std::string_view key;
  OptionType type;
  OptionMember member;
  double minimum;  ///< inclusive: of numbers the value, of strings the bytes, of lists the items
  double maximum;
  std::string_view choices;   ///< of kChoice: "reuseport balanced"
  bool reloadable;            ///< takes effect on SIGHUP
  std::string_view sentence;  ///< what it does, for conf/server.toml and messages
};

/// Every option once, in the order of conf/server.toml. [app] is free-form and not in it.
[[nodiscard]] std::span<const OptionSpec> option_table();

/// What [shared.NAME] takes: rows whose members stand for those of DictionaryOptions.
[[nodiscard]] std::span<const OptionSpec> dictionary_option_table();

/// Names, as "server.listen", of the options that a reload cannot change and that differ.
[[nodiscard]] std::vector<std::string> changed_fixed_options(const Options& running, const Options& next);

/// Gives `next` the running value of every option that a reload cannot change.
void keep_fixed_options(const Options& running, Options& next);

}  // namespace perigee::server
