#include "server/options.h"

#include <array>

namespace perigee::server {
namespace {

constexpr double kKiB = 1024;
constexpr double kMiB = 1024 * kKiB;
constexpr double kGiB = 1024 * kMiB;
constexpr double kPathBytes = 4096;
constexpr double kHour = 3600;
constexpr double kDay = 24 * kHour;
constexpr double kYear = 366 * kDay;

constexpr bool kReloadable = true;
constexpr bool kFixed = false;

using enum OptionType;

// Each row: section, key, type, member, minimum, maximum, choices, reloadable, sentence.
const std::array kTable = {
    OptionSpec{"server", "listen", kStringList, &Options::listen, 1, 64, "", kFixed,
               "Addresses to serve on: \"HOST:PORT\", \"[IPV6]:PORT\", \":PORT\" for every IPv4 address, or "
               "\"unix:PATH\"; port 0 takes a free one."},
    OptionSpec{"server", "app", kString, &Options::app, 1, kPathBytes, "", kFixed,
               "The Lua file that returns the app; a reload reads it again."},
    OptionSpec{"server", "workers", kInteger, &Options::workers, 0, 256, "", kFixed,
               "Worker threads, each with an event loop and a Lua VM of its own; 0 is one for each core."},
    OptionSpec{"server", "accept", kChoice, &Options::accept, 0, 0, "reuseport balanced", kFixed,
               "Who takes a new connection: with \"reuseport\" the kernel spreads them over the workers, with "
               "\"balanced\" the worker with the fewest gets it."},
    OptionSpec{"server", "pin", kBoolean, &Options::pin, 0, 0, "", kFixed, "Binds each worker to one core."},
    OptionSpec{"server", "backlog", kInteger, &Options::backlog, 1, 65'535, "", kFixed,
               "Connections that may wait in the kernel for each listening socket; net.core.somaxconn caps it."},
    OptionSpec{"server", "user", kString, &Options::user, 0, 256, "", kFixed,
               "User to become once the addresses are bound; empty stays who started the server."},
    OptionSpec{"server", "group", kString, &Options::group, 0, 256, "", kFixed,
               "Group to become with it; empty is the user's own."},
    OptionSpec{"server", "drain", kSeconds, &Options::drain, 0, kHour, "", kReloadable,
               "Seconds that requests under way may take to end when the server stops or an app is replaced."},
    OptionSpec{"server", "reload_timeout", kSeconds, &Options::reload_timeout, 0.1, kHour, "", kReloadable,
               "Seconds a new app may take to load and start before the reload is given up and the old one stays."},
    OptionSpec{"server", "trusted_proxies", kStringList, &Options::trusted_proxies, 0, 256, "", kReloadable,
               "Whose word counts for a client's address, scheme and request id: addresses, networks as "
               "\"10.0.0.0/8\", and \"unix\" for every peer of a Unix socket. Others' X-Forwarded-For, "
               "X-Forwarded-Proto, Forwarded and X-Request-Id are left unread."},
    OptionSpec{"server", "proxy_protocol", kChoice, &Options::proxy_protocol, 0, 0, "off required", kReloadable,
               "With \"required\" each new connection must begin with a PROXY header, version 1 or 2, that says whose "
               "it is, and comes from a trusted proxy, if trusted_proxies names any. The admin port takes none."},

    OptionSpec{"http", "request_line", kSize, &Options::request_line, 64, kMiB, "", kReloadable,
               "Longest request line, in bytes; a longer one is answered 414."},
    OptionSpec{"http", "field_line", kSize, &Options::field_line, 64, kMiB, "", kReloadable,
               "Longest header line, in bytes; a longer one is answered 431."},
    OptionSpec{"http", "head", kSize, &Options::head, 256, kMiB, "", kReloadable,
               "Request line and headers together, in bytes; more is answered 431."},
    OptionSpec{"http", "fields", kInteger, &Options::fields, 1, 256, "", kReloadable,
               "Most header lines of a request; more are answered 431."},
    OptionSpec{"http", "pipeline", kInteger, &Options::pipeline, 1, 4096, "", kReloadable,
               "Pipelined requests of one connection that are served before the others get their turn."},
    OptionSpec{"http", "output_watermark", kSize, &Options::output_watermark, 4 * kKiB, kGiB, "", kReloadable,
               "Bytes waiting to be sent to one client above which nothing more is read from it."},
    OptionSpec{"http", "body_buffer", kSize, &Options::body_buffer, 0, kGiB, "", kReloadable,
               "Bodies up to so many bytes are read before their handler runs; larger ones reach it while they still "
               "arrive."},
    OptionSpec{"http", "upload_memory", kSize, &Options::upload_memory, 0, kGiB, "", kReloadable,
               "Bytes of one field or file of a multipart form that are kept in memory; a larger one goes to disk."},
    OptionSpec{"http", "upload_folder", kString, &Options::upload_folder, 0, kPathBytes, "", kReloadable,
               "Folder for what uploads leave on disk until their request ends; empty is $TMPDIR, or else /tmp."},
    OptionSpec{"http", "head_timeout", kSeconds, &Options::head_timeout, 0.1, kHour, "", kReloadable,
               "Seconds for a whole request head to arrive; after that it is answered 408."},
    OptionSpec{"http", "body_timeout", kSeconds, &Options::body_timeout, 0.1, kHour, "", kReloadable,
               "Longest pause within a request body, in seconds."},
    OptionSpec{"http", "body_rate", kSize, &Options::body_rate, 0, kGiB, "", kReloadable,
               "Slowest request body, in bytes a second over the whole of it; 0 asks for none."},
    OptionSpec{"http", "idle_timeout", kSeconds, &Options::idle_timeout, 0.1, kDay, "", kReloadable,
               "Seconds a connection may stay open between two requests."},
    OptionSpec{"http", "write_timeout", kSeconds, &Options::write_timeout, 0.1, kHour, "", kReloadable,
               "Seconds without a byte taken by the client before its answer is given up."},

    OptionSpec{"limits", "body", kSize, &Options::body, 0, 1024 * kGiB, "", kReloadable,
               "Largest request body, in bytes, for routes without a limit of their own; more is answered 413."},
    OptionSpec{"limits", "time", kSeconds, &Options::time, 0.01, kDay, "", kReloadable,
               "Seconds a handler may take, waiting included, for routes without a limit of their own."},
    OptionSpec{"limits", "cpu", kSeconds, &Options::cpu, 0, kDay, "", kReloadable,
               "Seconds a handler may compute, for routes without a limit of their own, and any other task between two "
               "waits; then it is stopped. 0 sets no limit."},
    OptionSpec{"limits", "blocked", kSeconds, &Options::blocked, 0, kHour, "", kReloadable,
               "Seconds one handler may hold up its worker before that is reported in the log; 0 reports none."},
    OptionSpec{"limits", "memory", kSize, &Options::memory, 0, 1024 * kGiB, "", kReloadable,
               "Bytes by which a request may make the Lua heap of its worker grow, for routes without a limit of their "
               "own, and any other task between two waits; then it is stopped. 0 sets no limit."},
    OptionSpec{"limits", "vm_memory", kSize, &Options::vm_memory, 0, 1024 * kGiB, "", kReloadable,
               "Bytes that the Lua VM of a worker may hold; over that a reload replaces it by a fresh one. 0 sets no "
               "limit."},
    OptionSpec{"limits", "vm_memory_most", kSize, &Options::vm_memory_most, 0, 1024 * kGiB, "", kReloadable,
               "Bytes that the Lua VM of a worker can hold at all; what asks for more fails. 0 sets no limit."},
    OptionSpec{"limits", "connections", kInteger, &Options::connections, 1, 1'000'000, "", kReloadable,
               "Connections open at once; one more is answered 503."},
    OptionSpec{"limits", "connections_per_address", kInteger, &Options::connections_per_address, 0, 1'000'000, "",
               kReloadable, "Connections open at once from one client address; 0 sets no limit."},
    OptionSpec{"limits", "json_depth", kInteger, &Options::json_depth, 1, 1000, "", kReloadable,
               "How deep arrays and objects of a JSON body may nest."},
    OptionSpec{"limits", "form_fields", kInteger, &Options::form_fields, 1, 100'000, "", kReloadable,
               "Most fields of a form."},
    OptionSpec{"limits", "form_files", kInteger, &Options::form_files, 0, 10'000, "", kReloadable,
               "Most fields and files of a form that may be on disk at once; one more is answered 413."},

    OptionSpec{"session", "cookie", kString, &Options::session_cookie, 1, 64, "", kReloadable,
               "What the cookie of sessions is called; over TLS its name begins with __Host- besides."},
    OptionSpec{"session", "idle", kSeconds, &Options::session_idle, 0.1, kYear, "", kReloadable,
               "Seconds without use after which a session ends."},
    OptionSpec{"session", "absolute", kSeconds, &Options::session_absolute, 0.1, kYear, "", kReloadable,
               "Seconds after which a session ends, used or not."},
    OptionSpec{
        "session", "max", kInteger, &Options::session_max, 1, 1'000'000'000, "", kReloadable,
        "Most sessions at once; for one more another goes, one of those used longest ago and of nobody's first."},
    OptionSpec{"session", "size", kSize, &Options::session_size, 256, 16 * kMiB, "", kReloadable,
               "Bytes of keys and values that one session may hold; writing more is an error."},

    OptionSpec{
        "session", "file", kString, &Options::session_file, 0, kPathBytes, "", kFixed,
        "File that has the sessions as well, so that they outlive the server; empty keeps them in memory alone."},
    OptionSpec{
        "session", "durability", kChoice, &Options::session_durability, 0, 0, "sync async", kFixed,
        "With \"sync\" an answer waits until what its request wrote to the session is safe on disk, with \"async\" "
        "a crash may lose what was written last."},
    OptionSpec{"session", "window", kSeconds, &Options::session_window, 0.01, kHour, "", kFixed,
               "Seconds of writing to sessions that a crash may lose with \"async\"."},

    OptionSpec{"static", "files", kInteger, &Options::static_files, 0, 1'000'000, "", kReloadable,
               "Files that each worker keeps in memory or open; those used last stay."},
    OptionSpec{"static", "memory", kSize, &Options::static_memory, 0, 64 * kGiB, "", kReloadable,
               "Bytes of small files that each worker keeps in memory."},
    OptionSpec{"static", "sendfile_from", kSize, &Options::sendfile_from, 0, kGiB, "", kReloadable,
               "Files of so many bytes and more are sent by the kernel from their descriptor, smaller ones from "
               "memory."},
    OptionSpec{"static", "check", kSeconds, &Options::static_check, 0, kHour, "", kReloadable,
               "Seconds for which a file is believed to be unchanged; after that it is looked at again."},

    OptionSpec{"client", "nameservers", kStringList, &Options::nameservers, 0, 16, "", kReloadable,
               "Who is asked for the addresses of names: IP addresses, with a port where it is not 53; without any, "
               "those of /etc/resolv.conf. /etc/hosts comes first."},
    OptionSpec{"client", "name_timeout", kSeconds, &Options::name_timeout, 0.1, 60, "", kReloadable,
               "Seconds that a nameserver may take to answer; each further round waits longer."},
    OptionSpec{"client", "name_tries", kInteger, &Options::name_tries, 1, 10, "", kReloadable,
               "Rounds over the nameservers before a name is given up."},
    OptionSpec{"client", "names", kInteger, &Options::names, 0, 1'000'000, "", kReloadable,
               "Names whose addresses each worker keeps, as long as their nameserver says; 0 keeps none."},
    OptionSpec{"client", "pool_size", kInteger, &Options::pool_size, 1, 1024, "", kReloadable,
               "Idle connections to one host that each worker keeps."},
    OptionSpec{"client", "pool_idle", kSeconds, &Options::pool_idle, 0.1, kDay, "", kReloadable,
               "Seconds that an idle connection is kept."},
    OptionSpec{"client", "receive", kSize, &Options::client_receive, kKiB, kGiB, "", kReloadable,
               "Most bytes that one receive of perigee.socket collects, in bytes; more is \"too_large\"."},
    OptionSpec{"client", "max_body", kSize, &Options::client_body, kKiB, 1024 * kGiB, "", kReloadable,
               "Largest body of an answer that perigee.http collects, in bytes; a request may say otherwise."},
    OptionSpec{"client", "block_private", kBoolean, &Options::block_private, 0, 0, "", kReloadable,
               "Keeps perigee.http from this machine and from private networks, whatever a name stands for; a request "
               "may say otherwise."},
    OptionSpec{"client", "ca_file", kString, &Options::ca_file, 0, kPathBytes, "", kReloadable,
               "Certificates (PEM) that servers are verified by; empty takes the system's."},

    OptionSpec{
        "background", "threads", kInteger, &Options::background_threads, 0, 256, "", kFixed,
        "Threads for perigee.run, each with a Lua VM of its own, that start when they are wanted; 0 is one for each "
        "core."},
    OptionSpec{"background", "queue", kInteger, &Options::background_queue, 0, 1'000'000, "", kReloadable,
               "Calls of perigee.run that may wait for a thread; one more is \"full\"."},
    OptionSpec{"background", "cpu", kSeconds, &Options::background_cpu, 0, kDay, "", kReloadable,
               "Seconds that a call of perigee.run may compute before it is stopped; 0 sets no limit."},

    OptionSpec{
        "shared", "size", kSize, &Options::shared_size, 64 * kKiB, 1024 * kGiB, "", kReloadable,
        "Memory that each shared dictionary without a size of its own may take, in bytes; made smaller, it evicts "
        "what no longer fits."},

    OptionSpec{"channels", "message", kSize, &Options::channel_message, 1024, kGiB, "", kReloadable,
               "Largest data of a message, in bytes; publishing more says \"too_large\"."},
    OptionSpec{"channels", "history", kInteger, &Options::channel_history, 0, 1'000'000, "", kReloadable,
               "Messages that each topic keeps for clients that come back; 0 keeps none."},
    OptionSpec{"channels", "keep", kSeconds, &Options::channel_keep, 0, kDay, "", kReloadable,
               "Seconds for which a topic keeps what it had after its last message."},
    OptionSpec{
        "channels", "memory", kSize, &Options::channel_memory, 0, 1024 * kGiB, "", kReloadable,
        "Memory of what all topics keep together, in bytes; over it, the topics published to longest ago forget."},
    OptionSpec{"channels", "queue", kInteger, &Options::channel_queue, 1, 1'000'000, "", kReloadable,
               "Messages that may wait for a Lua subscriber; over it, the oldest are dropped."},
    OptionSpec{"channels", "heartbeat", kSeconds, &Options::channel_heartbeat, 0.1, kHour, "", kReloadable,
               "Seconds between comments that keep the connections of a channel's clients open."},

    OptionSpec{"log", "level", kChoice, &Options::log_level, 0, 0, "debug info warn error", kReloadable,
               "The least serious event that the error log keeps."},
    OptionSpec{"log", "format", kChoice, &Options::log_format, 0, 0, "text json", kReloadable,
               "How the error log writes: a line of text or a line of JSON for each event."},
    OptionSpec{"log", "error", kString, &Options::log_error, 1, kPathBytes, "", kReloadable,
               "Where the error log goes: \"stderr\", \"stdout\" or a file."},
    OptionSpec{"log", "access", kString, &Options::access, 1, kPathBytes, "", kReloadable,
               "Where the access log goes: \"stdout\", \"stderr\", a file or \"off\"."},
    OptionSpec{"log", "access_format", kChoice, &Options::access_format, 0, 0, "combined json", kReloadable,
               "How the access log writes: Apache's combined format or a line of JSON for each request."},
    OptionSpec{"log", "access_skip", kStringList, &Options::access_skip, 0, 256, "", kReloadable,
               "Paths whose requests the access log leaves out, each whole."},

    OptionSpec{
        "errors", "ignore", kStringList, &Options::errors_ignore, 0, 256, "", kReloadable,
        "Errors that the error desk leaves out: those with one of these texts in the first line of their message, "
        "in which \"*\" stands for anything. They are logged all the same."},
    OptionSpec{"errors", "kinds", kInteger, &Options::errors_kinds, 8, 100'000, "", kReloadable,
               "Kinds of errors that the error desk keeps; those not seen for longest are forgotten first."},

    OptionSpec{"admin", "listen", kString, &Options::admin_listen, 1, kPathBytes, "", kFixed,
               "Address of the admin port, written as in [server] listen, or \"off\"."},
    OptionSpec{
        "admin", "token", kSecret, &Options::admin_token, 0, 4096, "", kFixed,
        "What the admin port wants as \"Authorization: Bearer TOKEN\"; needed when its address is not loopback."},

    OptionSpec{"dev", "enabled", kBoolean, &Options::dev, 0, 0, "", kFixed,
               "Development mode, as `serve --dev`: reloads on save, shows errors with source and locals; never in "
               "production."},
    OptionSpec{"dev", "watch", kStringList, &Options::dev_watch, 0, 64, "", kFixed,
               "Endings of the names of files below the app's folder whose saving reloads; the configuration's always "
               "does."},
    OptionSpec{"dev", "ignore", kStringList, &Options::dev_ignore, 0, 256, "", kFixed,
               "Names of folders that are not watched; those that begin with a dot never are."},
    OptionSpec{"dev", "folders", kInteger, &Options::dev_folders, 1, 100'000, "", kFixed,
               "Most folders that are watched."},
};

const std::array kDictionaryTable = {
    OptionSpec{"shared.NAME", "size", kSize, &Options::shared_size, 64 * kKiB, 1024 * kGiB, "", kReloadable,
               "Memory that the dictionary may take, in bytes."},
    OptionSpec{"shared.NAME", "pin", kBoolean, &Options::pin, 0, 0, "", kReloadable,
               "Keeps every key: the dictionary is full, instead of evicting what was used longest ago."},
};

}  // namespace

std::span<const OptionSpec> option_table() {
  return kTable;
}

std::span<const OptionSpec> dictionary_option_table() {
  return kDictionaryTable;
}

std::vector<std::string> changed_fixed_options(const Options& running, const Options& next) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : kTable) {
    const auto differs = [&](auto member) { return running.*member != next.*member; };
    if (!spec.reloadable && std::visit(differs, spec.member)) {
      names.push_back(std::string(spec.section) + "." + std::string(spec.key));
    }
  }
  return names;
}

void keep_fixed_options(const Options& running, Options& next) {
  for (const OptionSpec& spec : kTable) {
    if (!spec.reloadable) {
      std::visit([&](auto member) { next.*member = running.*member; }, spec.member);
    }
  }
}

}  // namespace perigee::server
