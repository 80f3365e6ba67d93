// What the configuration says at the start and again at each reload.

#include <utility>

#include "base/log.h"
#include "server/config_loader.h"
#include "server/development.h"
#include "server/server.h"
#include "server/session_settings.h"

namespace perigee::server {
namespace {

constexpr Milliseconds kSweeping = 1000;  // between two looks for sessions that have expired

}  // namespace

void Server::bound_state(const Options& options) {
  state::SharedDictionaries::Settings settings;
  settings.default_size = static_cast<std::size_t>(options.shared_size);
  for (const auto& [name, dictionary] : options.shared) {
    settings.named[name] = {static_cast<std::size_t>(dictionary.size), dictionary.pin};
  }
  shared_.apply(settings);
  topics_.apply({static_cast<std::size_t>(options.channel_history), milliseconds(options.channel_keep) * 1000,
                 static_cast<std::size_t>(options.channel_memory)});
}

Result<> Server::open_sessions() {
  sessions_.apply(session_settings(*options_));
  if (options_->session_file.empty()) {
    return {};
  }
  using Journal = state::SessionJournal;
  const auto durability =
      options_->session_durability == "sync" ? Journal::Durability::kSync : Journal::Durability::kAsync;
  journal_ = TRY(Journal::open({options_->session_file, durability, milliseconds(options_->session_window)}, sessions_,
                               monotonic_ms()));
  return {};
}

void Server::sweep_sessions() {
  sessions_.sweep(monotonic_ms());
  loop_.timers().add(sweeping_, monotonic_ms() + kSweeping);
}

void Server::bound_errors(const Options& options) {
  errors_.apply({options.errors_ignore, static_cast<std::size_t>(options.errors_kinds)});
}

// What changes only with the rest.
void Server::after_reload(const ReloadResult& result) {
  note_reload(result);
  if (!result.ok) {
    return;
  }
  watchdog_->report_blocks_after(result.options->blocked);
  background_->apply(result.options);
  sessions_.apply(session_settings(*result.options));
  bound_state(*result.options);
  bound_errors(*result.options);
  if (auto applied = error_log_->apply(ErrorLog::settings_of(*result.options)); !applied) {
    log_event(LogLevel::kError, applied.error().message);
  }
}

std::shared_ptr<const Options> Server::read_options(const Options& running, std::vector<std::string>& mistakes) {
  auto loaded = load_options(command_.config_path, command_.sets);
  if (!loaded) {
    for (const ConfigMistake& mistake : loaded.error()) {
      mistakes.push_back(mistake.text());
    }
    return nullptr;
  }
  for (const std::string& name : changed_fixed_options(running, *loaded)) {
    log_event(LogLevel::kWarn, name + " changed, but takes effect only when the server is started anew");
  }
  keep_fixed_options(running, *loaded);
  if (auto opened = access_targets_.open(loaded->access); !opened) {
    mistakes.push_back(opened.error().message);
    return nullptr;
  }
  soften_for_development(*loaded);
  return std::make_shared<const Options>(std::move(*loaded));
}

}  // namespace perigee::server
