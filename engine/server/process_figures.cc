#include "server/process_figures.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "base/clock.h"

namespace perigee::server {
namespace {

constexpr double kTick = 0.01;  // seconds: USER_HZ is 100 on every architecture Linux runs on (proc(5))

std::uint64_t count_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), &closedir);
  std::uint64_t count = 0;
  while (folder != nullptr && readdir(folder.get()) != nullptr) {
    ++count;
  }
  return count > 3 ? count - 3 : 0;  // ".", ".." and the folder itself
}

// When the system was started, in seconds since the epoch; the same whenever it is asked.
double boot_time() {
  static const double kBoot = [] {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return wall_seconds() - static_cast<double>(now.tv_sec) - static_cast<double>(now.tv_nsec) * 1e-9;
  }();
  return kBoot;
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  figures.open_descriptors = count_descriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    figures.most_descriptors = limit.rlim_cur;
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    figures.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                          static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
  }
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // the program's name may hold anything
  if (name_end == std::string::npos) {
    return figures;
  }
  // Fields 3 to 19 (proc(5)): the threads are the last but one of them; then start time, size and resident pages.
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 20; ++field) {
    fields >> skipped;
  }
  double started = 0;
  std::uint64_t pages = 0;
  fields >> figures.threads >> skipped >> started >> figures.virtual_bytes >> pages;
  figures.resident_bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  figures.start_time = boot_time() + started * kTick;
  return figures;
}

void write_process(profiler::Exposition& page) {
  const ProcessFigures figures = process_figures();
  page.gauge("perigee_build_info", "What was built; its value is always 1.");
  page.sample({{"version", PERIGEE_VERSION}}, std::uint64_t{1});
  page.counter("process_cpu_seconds_total", "User and system time of the process.", figures.cpu_seconds);
  page.gauge("process_resident_memory_bytes", "Memory of the process that is resident.", figures.resident_bytes);
  page.gauge("process_virtual_memory_bytes", "Address space of the process.", figures.virtual_bytes);
  page.gauge("process_open_fds", "Open file descriptors.", figures.open_descriptors);
  page.gauge("process_max_fds", "File descriptors it may have open.", figures.most_descriptors);
  page.gauge("process_threads", "Threads of the process.", figures.threads);
  page.gauge("process_start_time_seconds", "When the process started, in seconds since the epoch.", figures.start_time);
}

}  // namespace perigee::server
