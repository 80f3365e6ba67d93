#include "server/overseen.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "base/clock.h"

namespace perigee::server {
namespace {

// Whether a debugger, or strace, has hold of this process: it would lose sight of another.
bool is_traced() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("TracerPid:")) {
      return line.find_first_of("123456789") != std::string::npos;
    }
  }
  return false;
}

sigset_t handed_on() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    sigaddset(&set, signal);
  }
  return set;
}

// Waits for the process and hands on what signals come; those of the terminal it has had itself. One that does not end
// when it is told to is ended when it is told again. Its status.
int wait_for(pid_t process, const sigset_t& signals) {
  constexpr Milliseconds kLastWords = 1000;
  Milliseconds told = 0;
  for (;;) {
    siginfo_t info{};
    if (sigwaitinfo(&signals, &info) < 0) {
      continue;  // stopped and continued
    }
    if (info.si_signo == SIGINT || info.si_signo == SIGTERM) {
      told = told != 0 ? told : monotonic_ms();
      if (monotonic_ms() - told >= kLastWords) {
        kill(process, SIGKILL);
      }
    }
    if (info.si_signo != SIGCHLD && info.si_code != SI_KERNEL) {
      kill(process, info.si_signo);
    }
    int status = 0;
    if (waitpid(process, &status, WNOHANG) == process) {
      return status;
    }
  }
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    return "by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  }
  return "with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

int oversee(const std::function<int(RunRecord& record)>& work,
            const std::function<int(const RunRecord& record, const std::string& how)>& after) {
  RunRecord unwatched;
  const auto record = RunRecord::make();
  if (!record || is_traced()) {
    return work(unwatched);
  }
  std::fflush(nullptr);
  const sigset_t signals = handed_on();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t self = getpid();
  const pid_t process = fork();
  if (process <= 0) {
    if (process == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != self) {
        _exit(1);
      }
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return work(process == 0 ? **record : unwatched);
  }
  const int status = wait_for(process, signals);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if ((*record)->closed() && WIFEXITED(status)) {
    return WEXITSTATUS(status);
  }
  return after(**record, how_it_ended(status));
}

}  // namespace perigee::server
