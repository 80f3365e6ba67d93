#include "server/generations.h"

#include <algorithm>

#include "base/log.h"
#include "script/failure_note.h"

namespace perigee::server {

void Generations::prepare(std::unique_ptr<script::Vm> vm, std::uint64_t number, script::Host& host,
                          std::function<void(const std::string& error)> on_ready) {
  vm->attach(host);
  all_.push_back(std::make_unique<Generation>(std::move(vm), number));
  live_.store(all_.size(), std::memory_order_relaxed);
  Generation& generation = *all_.back();
  if (generation.vm->has_start_hooks()) {
    generation.dispatcher.run_hooks("start", std::move(on_ready));
  } else {
    on_ready("");
  }
}

Generation* Generations::find(std::uint64_t number) {
  const auto found = std::find_if(all_.begin(), all_.end(), [number](const auto& g) { return g->number == number; });
  return found == all_.end() ? nullptr : found->get();
}

void Generations::activate(std::uint64_t number, Milliseconds drain_deadline) {
  if (current_ != nullptr) {
    current_->drain_deadline = drain_deadline;
    current_->vm->retire();
  }
  current_ = find(number);
}

void Generations::discard(std::uint64_t number) {
  if (Generation* generation = find(number); generation != nullptr) {
    generation->drain_deadline = 1;  // long past: whatever its start hooks began is cancelled
    generation->stop_begun = generation->stopped = true;
    generation->vm->retire();
  }
}

void Generations::begin_stop(Generation& generation) {
  generation.stop_begun = true;
  if (!generation.vm->has_stop_hooks()) {
    generation.stopped = true;
    return;
  }
  generation.dispatcher.run_hooks("stop", [this, &generation](const std::string& error) {
    generation.stopped = true;
    if (error.empty()) {
      return;
    }
    script::note_failure(*generation.vm, nullptr, error);
    log_event(LogLevel::kError, "error in a stop hook: " + error);
    if (on_stop_error_) {
      on_stop_error_(error);
    }
  });
}

bool Generations::finished(Generation& generation, Milliseconds now, const std::function<void(Generation&)>& abandon) {
  if (generation.pins == 0 && !generation.stop_begun) {
    generation.unpinned = now;
    begin_stop(generation);
  }
  if (generation.pins == 0 && generation.stopped && generation.vm->busy_tasks() == 0) {
    return true;
  }
  const bool served = generation.pins == 0 && generation.stopped;
  const Milliseconds deadline =
      served ? std::min(generation.drain_deadline, generation.unpinned + kLeftover) : generation.drain_deadline;
  if (now >= deadline + kGrace) {
    abandon(generation);
    generation.abandoned = true;
    return true;
  }
  if (now >= deadline) {
    generation.vm->cancel_all(script::CancelReason::kDraining);
  }
  return false;
}

bool Generations::collect(Milliseconds now, const std::function<void(Generation&)>& abandon) {
  bool leaving = false;
  for (std::size_t i = 0; i < all_.size();) {
    Generation& generation = *all_[i];
    const bool ended = generation.drain_deadline != 0 && finished(generation, now, abandon);
    if (ended && (&generation != current_ || generation.abandoned)) {
      current_ = &generation == current_ ? nullptr : current_;
      all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(i));
      live_.store(all_.size(), std::memory_order_relaxed);
      continue;
    }
    leaving = leaving || generation.drain_deadline != 0;
    ++i;
  }
  return leaving;
}

void Generations::drain_all(Milliseconds deadline) {
  for (const auto& generation : all_) {
    generation->vm->retire();
    generation->drain_deadline =
        generation->drain_deadline == 0 ? deadline : std::min(generation->drain_deadline, deadline);
  }
}

bool Generations::quiet() const {
  return std::all_of(all_.begin(), all_.end(),
                     [](const auto& g) { return g->vm->busy_tasks() == 0 && g->pins == 0 && g->stopped; });
}

}  // namespace perigee::server
