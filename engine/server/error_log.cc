#include "server/error_log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "server/log_file.h"
#include "server/time_text.h"

namespace perigee::server {
namespace {

using Sink = std::shared_ptr<spdlog::sinks::sink>;

// Opens and, if need be, makes the file first: spdlog's own message would not say why it cannot, nor its mode be ours.
Result<Sink> make_sink(const std::string& target) {
  TRY(LogFile::open(target));
  if (target == "stdout") {
    return std::make_shared<spdlog::sinks::stdout_sink_st>();
  }
  if (target == "stderr") {
    return std::make_shared<spdlog::sinks::stderr_sink_st>();
  }
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_st>(target);
  } catch (const spdlog::spdlog_ex& error) {
    return fail("cannot open the log '" + target + "': " + error.what());
  }
}

}  // namespace

// spdlog's half: a logger of whole lines on a sink that can be exchanged while others write.
struct ErrorLog::Output {
  Output() : sink(std::make_shared<spdlog::sinks::dist_sink_mt>()), logger("perigee", sink) {
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
    logger.set_error_handler([this](const std::string&) { failed.fetch_add(1, std::memory_order_relaxed); });
  }

  std::atomic<std::uint64_t> failed{0};
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sink;
  spdlog::logger logger;
};

ErrorLog::ErrorLog() : level_(LogLevel::kInfo), format_(LogFormat::kText), output_(std::make_unique<Output>()) {}

ErrorLog::~ErrorLog() = default;

ErrorLog::Settings ErrorLog::settings_of(const Options& options) {
  Settings settings;
  for (const LogLevel level : kLogLevels) {
    settings.level = options.log_level == level_name(level) ? level : settings.level;
  }
  settings.format = options.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  settings.target = options.log_error;
  return settings;
}

Result<std::unique_ptr<ErrorLog>> ErrorLog::open(const Settings& settings) {
  std::unique_ptr<ErrorLog> log(new ErrorLog);
  if (const Result<> applied = log->apply(settings); !applied) {
    return tl::unexpected(applied.error());
  }
  return log;
}

Result<> ErrorLog::apply(const Settings& settings) {
  const std::lock_guard lock(changes_);
  if (settings.target != target_) {
    TRY(open_target(settings.target));
  }
  level_.store(settings.level, std::memory_order_relaxed);
  format_.store(settings.format, std::memory_order_relaxed);
  return {};
}

Result<> ErrorLog::reopen() {
  const std::lock_guard lock(changes_);
  return open_target(target_);
}

// REQUIRES: changes_ is held.
Result<> ErrorLog::open_target(const std::string& target) {
  Sink sink = TRY(make_sink(target));
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::local, "\n"));
  output_->sink->set_sinks({std::move(sink)});
  target_ = target;
  return {};
}

void ErrorLog::write(LogLevel level, std::string_view message, std::string_view fields, std::string_view request_id) {
  if (!enabled(level)) {
    return;
  }
  events_[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  const std::string line =
      log_line(format_.load(std::memory_order_relaxed), {wall_ms(), level, message, fields, request_id});
  output_->logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t ErrorLog::failed_lines() const {
  return output_->failed.load(std::memory_order_relaxed);
}

}  // namespace perigee::server
