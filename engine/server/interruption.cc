#include "server/interruption.h"

#include <atomic>
#include <csignal>

namespace perigee::server {
namespace {

std::atomic<int> came{0};

void note(int signal) {
  came.store(signal);
}

void handle(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {  // as nohup and shells without jobs have it
      sigaction(signal, &action, nullptr);
    }
  }
}

}  // namespace

Interruption::Interruption() {
  came = 0;
  handle(note);
}

Interruption::~Interruption() {
  handle(SIG_DFL);
}

int Interruption::caught() {
  return came.load();
}

}  // namespace perigee::server
