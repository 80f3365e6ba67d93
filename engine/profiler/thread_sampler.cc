#include "profiler/thread_sampler.h"

#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>

#include "base/marks.h"
#include "base/pulse.h"
#include "base/thread_stack.h"

// Its name in the kernel's interface; the C library leaves it to the program.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace perigee::profiler {

namespace {

constexpr int kSignal = SIGPROF;

VmProbe vm_probe;
thread_local constinit ThreadSampler* this_thread = nullptr;

Registers registers_of(const ucontext_t& context) noexcept {
#if defined(__x86_64__)
  const auto& values = context.uc_mcontext.gregs;
  return {static_cast<std::uintptr_t>(values[REG_RIP]), static_cast<std::uintptr_t>(values[REG_RBP]),
          static_cast<std::uintptr_t>(values[REG_RSP])};
#elif defined(__aarch64__)
  return {context.uc_mcontext.pc, context.uc_mcontext.regs[29], context.uc_mcontext.sp};
#else
#error "which registers hold the code address, the frame and the stack?"
#endif
}

// Where the function whose frame this is was called from.
Registers caller_of(const void* frame) noexcept {
  const auto* words = static_cast<const std::uintptr_t*>(frame);
  return {words[1], words[0], reinterpret_cast<std::uintptr_t>(frame) + 2 * sizeof *words};
}

Result<> install_once(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  if (sigaction(kSignal, &action, nullptr) != 0) {
    return fail(std::string("the profiler's signal can't be handled: ") + std::strerror(errno));
  }
  return {};
}

Result<> install_handler(void (*handler)(int, siginfo_t*, void*)) {
  static const Result<> installed = install_once(handler);
  return installed;
}

}  // namespace

void set_vm_probe(const VmProbe& probe) {
  vm_probe = probe;
}

ThreadSampler::ThreadSampler(int worker)
    : worker_(worker),
      thread_(pthread_self()),
      id_(gettid()),
      stack_end_(stack_end()),
      pulse_(perigee::pulse),
      chance_(0x9e3779b97f4a7c15U * (static_cast<std::uint64_t>(id_) + 1)) {
  pthread_getcpuclockid(thread_, &clock_);
  this_thread = this;
}

ThreadSampler::~ThreadSampler() {
  stop();
  this_thread = nullptr;
}

ThreadSampler* ThreadSampler::current() noexcept {
  return this_thread;
}

std::int32_t ThreadSampler::route() noexcept {
  const bool known = marks.stage >= Stage::kLua && marks.route >= 0 && marks.numbers != nullptr;
  return known ? marks.numbers[marks.route] : -1;
}

Result<> ThreadSampler::start(int hertz) {
  TRY(install_handler(&ThreadSampler::on_signal));
  computing_.prepare();
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kSignal;
  event.sigev_notify_thread_id = id_;
  if (!has_timer_ && timer_create(clock_, &event, &timer_) != 0) {
    return fail("a worker's CPU time can't be followed by a timer");
  }
  has_timer_ = true;
  const std::int64_t period = 1'000'000'000 / hertz;
  period_.store(period, std::memory_order_release);
  itimerspec times{};
  times.it_interval.tv_nsec = times.it_value.tv_nsec = static_cast<long>(std::min<std::int64_t>(period, 999'999'999));
  timer_settime(timer_, 0, &times, nullptr);
  return {};
}

void ThreadSampler::stop() {
  period_.store(0, std::memory_order_release);
  if (has_timer_) {
    timer_delete(timer_);
    has_timer_ = false;
  }
}

void ThreadSampler::sample_allocations(std::int64_t period) {
  allocating_.prepare();
  allocation_period_.store(period);
}

Result<> ThreadSampler::take_interrupts() {
  stopping_.prepare();
  takes_interrupts_.store(true, std::memory_order_release);
  return install_handler(&ThreadSampler::on_signal);
}

void ThreadSampler::interrupt(std::uint64_t tag) const noexcept {
  sigval value{};
  value.sival_ptr = reinterpret_cast<void*>(tag);
  pthread_sigqueue(thread_, kSignal, value);
}

std::int64_t ThreadSampler::cpu_time() const noexcept {
  timespec spent{};
  clock_gettime(clock_, &spent);
  return spent.tv_sec * std::int64_t{1'000'000'000} + spent.tv_nsec;
}

void ThreadSampler::on_signal(int, siginfo_t* info, void* context) noexcept {
  const int before = errno;
  if (ThreadSampler* const sampler = this_thread; sampler != nullptr) {
    const Registers registers = registers_of(*static_cast<const ucontext_t*>(context));
    if (info->si_code == SI_TIMER) {
      sampler->interrupted(registers, info->si_overrun);
    } else if (info->si_code == SI_QUEUE) {
      sampler->stopped(registers, reinterpret_cast<std::uint64_t>(info->si_value.sival_ptr));
    }
  }
  errno = before;
}

void ThreadSampler::interrupted(Registers registers, int overrun) noexcept {
  const std::int64_t period = period_.load(std::memory_order_acquire);
  if (period <= 0) {
    return;
  }
  const std::int64_t weight = period * (1 + std::max(overrun, 0));
  // What is long in coming to where the stack can be read is all one place.
  if (RawSample* const same = computing_.waiting_in_full();
      same != nullptr && same->stay == pulse_.stay.load(std::memory_order_relaxed)) {
    same->weight += weight;
    ++same->count;
    return;
  }
  RawSample* const sample = computing_.begin();
  if (sample == nullptr) {
    return;
  }
  sample->weight = weight;
  locate(*sample, &registers);
  computing_.commit();
  if (sample->in_script) {
    vm_probe.ask(pulse_.guest);
  }
}

void ThreadSampler::stopped(Registers registers, std::uint64_t tag) noexcept {
  const bool in_script = pulse_.stay.load(std::memory_order_relaxed) != 0 && vm_probe.state != nullptr;
  const bool takes = in_script && takes_interrupts_.load(std::memory_order_acquire);
  RawSample* const sample = takes ? stopping_.begin() : nullptr;
  if (sample == nullptr) {
    return;
  }
  sample->tag = tag;
  locate(*sample, &registers);
  stopping_.commit();
  vm_probe.ask(pulse_.guest);
}

// Sampled by the byte: a block of `bytes` is met with the chance p = 1 - e^(-bytes / period), and stands for 1 / p
// blocks of its kind. What finds no room is added to the next that does: the sum stays right.
void ThreadSampler::sample_allocation(std::size_t bytes) noexcept {
  const std::int64_t period = allocation_period_.load();
  until_sample_ = next_gap();
  if (period <= 0) {
    roomless_ = {};
    return;
  }
  const double stands_for = 1 / (1 - std::exp(-static_cast<double>(bytes) / static_cast<double>(period)));
  roomless_.count += std::max<std::int64_t>(1, std::llround(stands_for));
  roomless_.weight += std::llround(stands_for * static_cast<double>(bytes));
  RawSample* const sample = allocating_.begin();
  if (sample == nullptr) {
    return;
  }
  sample->count = roomless_.count;
  sample->weight = roomless_.weight;
  roomless_ = {};
  locate(*sample, nullptr);
  allocating_.commit();
  if (sample->in_script) {
    vm_probe.ask(pulse_.guest);
  }
}

// Bytes to the next sample, exponentially distributed (xorshift64*).
std::int64_t ThreadSampler::next_gap() noexcept {
  chance_ ^= chance_ >> 12;
  chance_ ^= chance_ << 25;
  chance_ ^= chance_ >> 27;
  const auto bits = (chance_ * 0x2545f4914f6cdd1dU) >> 11;  // 53 of them
  const double evenly = (static_cast<double>(bits) + 1) * 0x1p-53;
  return 1 + static_cast<std::int64_t>(-std::log(evenly) * static_cast<double>(allocation_period_.load()));
}

// Where the thread is. Without registers the native stack is not looked at.
void ThreadSampler::locate(RawSample& sample, const Registers* registers) const noexcept {
  sample.stay = pulse_.stay.load(std::memory_order_relaxed);
  sample.route = route();
  sample.in_script = sample.stay != 0 && vm_probe.state != nullptr;
  sample.vm_state = sample.in_script ? vm_probe.state(pulse_.guest) : 0;
  // What is interpreted ends its instruction before the stack can be read. A trace collects before its line begins.
  sample.in_call =
      sample.vm_state == VmProbe::kInterpreted || sample.vm_state == VmProbe::kNativeFunction ||
      (sample.vm_state == VmProbe::kCollector && vm_probe.interprets != nullptr && vm_probe.interprets(pulse_.guest));
  if (sample.in_script && sample.vm_state == 0 && vm_probe.may_be_compiled != nullptr) {
    const auto stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    sample.machine_code = find_machine_code(registers != nullptr ? *registers : Registers{0, 0, stack});
  }
  if (registers != nullptr) {
    walk(sample, *registers);
  }
}

// Code of the VM's own making that runs, or that has called what does: the latter keeps no frame pointers, so that the
// return address is looked for among the words of the stack. What earlier calls have left there is seldom reached.
__attribute__((no_sanitize("address", "thread"))) std::uintptr_t ThreadSampler::find_machine_code(
    Registers registers) const noexcept {
  constexpr std::size_t kMostWords = 256;
  if (vm_probe.may_be_compiled(pulse_.guest, registers.pc)) {
    return registers.pc;
  }
  const auto entry = reinterpret_cast<std::uintptr_t>(pulse_.frame);
  const auto* const words = reinterpret_cast<const volatile std::uintptr_t*>(registers.stack);
  for (std::size_t i = 0; i < kMostWords && registers.stack + i * sizeof *words < entry; ++i) {
    if (const std::uintptr_t word = words[i]; vm_probe.may_be_compiled(pulse_.guest, word)) {
      return word;
    }
  }
  return registers.pc;  // of code that is so new that it is not known yet
}

// The script's own machine code keeps no frame pointers: the walk from the inside ends there at the latest, and goes on
// from the function that entered it.
void ThreadSampler::walk(RawSample& sample, Registers registers) const noexcept {
  const std::span<std::uintptr_t> room(sample.code);
  if (!sample.in_script) {
    sample.inner = 0;
    sample.frames = static_cast<std::uint8_t>(walk_stack(registers, stack_end_, room));
    return;
  }
  const auto entry = reinterpret_cast<std::uintptr_t>(pulse_.frame);
  const std::size_t inner = walk_stack(registers, entry, room.first(room.size() / 2));
  const std::size_t outer = walk_stack(caller_of(pulse_.frame), stack_end_, room.subspan(inner));
  sample.inner = static_cast<std::uint8_t>(inner);
  sample.frames = static_cast<std::uint8_t>(inner + outer);
}

void ThreadSampler::take_script_stack(std::span<const std::uint32_t> places, InnerPlace inner) noexcept {
  computing_.take_script_stack(places, inner, vm_probe.settle);
  allocating_.take_script_stack(places, inner, vm_probe.settle);
  stopping_.take_script_stack(places, inner, vm_probe.settle);
}

}  // namespace perigee::profiler
