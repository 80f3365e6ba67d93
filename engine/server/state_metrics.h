#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/host_stats.h"
#include "profiler/error_desk.h"
#include "profiler/exposition.h"
#include "server/worker_survey.h"
#include "state/session_store.h"
#include "state/shared_dictionaries.h"
#include "state/topics.h"

namespace perigee::server {

// What the page of metrics shows of workers and of what they share, a function a subject. Main thread.

/// The load of each worker, and what its Lua holds.
void write_workers(profiler::Exposition& page, const std::vector<std::unique_ptr<Worker>>& workers,
                   const std::vector<WorkerSurvey::Seen>& seen);

/// Each shared dictionary.
void write_dictionaries(profiler::Exposition& page, state::SharedDictionaries& dictionaries);

void write_sessions(profiler::Exposition& page, const state::SessionStore& sessions);

/// Topics, their subscribers and what was lost on its way to them.
void write_topics(profiler::Exposition& page, state::Topics& topics, const std::vector<WorkerSurvey::Seen>& seen);

/// What perigee.http did with each host, all workers together.
[[nodiscard]] std::map<std::string, client::HostStats> outbound_hosts(const std::vector<WorkerSurvey::Seen>& seen);
void write_hosts(profiler::Exposition& page, const std::vector<WorkerSurvey::Seen>& seen);

/// What the error desk has counted.
void write_errors(profiler::Exposition& page, const profiler::ErrorDesk& errors);

}  // namespace perigee::server
