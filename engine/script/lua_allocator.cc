#include "script/lua_allocator.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "profiler/thread_sampler.h"

namespace perigee::script {

LuaAllocator::~LuaAllocator() {
  drop_reserve();
  for (char* chunk : chunks_) {
    std::free(chunk);
  }
  for (void* block : kept_) {
    std::free(block);
  }
}

bool LuaAllocator::hold_reserve() noexcept try {
  chunks_.reserve(chunks_.size() + kReserve / kChunk);
  reserve_ = reserve_ != nullptr ? reserve_ : std::malloc(kReserve);
  return reserve_ != nullptr;
} catch (const std::bad_alloc&) {
  return false;
}

void LuaAllocator::drop_reserve() noexcept {
  std::free(reserve_);
  reserve_ = nullptr;
}

// From the system; what was kept back goes to it before it is asked in vain.
void* LuaAllocator::obtain(std::size_t size) noexcept {
  void* block = std::malloc(size);
  if (block == nullptr && reserve_ != nullptr) {
    drop_reserve();
    block = std::malloc(size);
  }
  return block;
}

// In line, and what is rare out of it: this is called for every table and string.
[[gnu::always_inline]] inline void* LuaAllocator::take(std::size_t size) noexcept {
  if (size > kLargest) {
    return take_large(size);
  }
  const std::size_t list = list_of(size);
  if (Free* const block = free_[list]; block != nullptr) {
    free_[list] = block->next;
    return block;
  }
  return static_cast<std::size_t>(end_ - cut_) >= list * kGrain ? std::exchange(cut_, cut_ + list * kGrain)
                                                                : refill(list);
}

void* LuaAllocator::allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) noexcept {
  auto& allocator = *static_cast<LuaAllocator*>(self);
  if (block == nullptr) {
    return new_size == 0 ? nullptr : allocator.take(new_size);
  }
  if (new_size == 0) {
    allocator.give(block, old_size);
    return nullptr;
  }
  return allocator.resize(block, old_size, new_size);
}

void* LuaAllocator::allocate_counted(void* self, void* block, std::size_t old_size, std::size_t new_size) noexcept {
  const std::size_t held = block == nullptr ? 0 : old_size;
  if (new_size > held) {
    auto& allocator = *static_cast<LuaAllocator*>(self);
    allocator.allocations_.add();
    allocator.bytes_.add(new_size - held);
    if (auto* sampler = profiler::ThreadSampler::current(); sampler != nullptr && sampler->samples_allocations()) {
      sampler->allocated(new_size - held);
    }
  }
  return allocate(self, block, old_size, new_size);
}

void* LuaAllocator::allocate_sampled(void* self, void* block, std::size_t old_size, std::size_t new_size) noexcept {
  const std::size_t held = block == nullptr ? 0 : old_size;
  if (new_size > held) {
    if (auto* sampler = profiler::ThreadSampler::current(); sampler != nullptr) {
      sampler->allocated(new_size - held);
    }
  }
  return allocate(self, block, old_size, new_size);
}

void LuaAllocator::give(void* block, std::size_t size) noexcept {
  if (size > kLargest) {
    large_ -= size;
    if (reinterpret_cast<std::uintptr_t>(watched_) - reinterpret_cast<std::uintptr_t>(block) < size) {
      watched_ = nullptr;
    }
    std::free(block);
    return;
  }
  Free*& head = free_[list_of(size)];
  head = new (block) Free{head};
}

[[gnu::noinline]] void* LuaAllocator::take_large(std::size_t size) noexcept {
  void* block = allows(size) ? obtain(size) : nullptr;
  large_ += block != nullptr ? size : 0;
  return block;
}

// Cuts a block of the list's size off a new chunk.
[[gnu::noinline]] void* LuaAllocator::refill(std::size_t list) noexcept try {
  if (!allows(kChunk)) {
    return nullptr;
  }
  chunks_.reserve(chunks_.size() + 1);
  auto* chunk = static_cast<char*>(obtain(kChunk));
  if (chunk == nullptr) {
    return nullptr;
  }
  chunks_.push_back(chunk);
  end_ = chunk + kChunk;
  cut_ = chunk + list * kGrain;
  return chunk;
} catch (const std::bad_alloc&) {
  return nullptr;
}

void* LuaAllocator::resize_large(void* block, std::size_t old_size, std::size_t new_size) noexcept {
  void* moved = new_size <= old_size || allows(new_size - old_size) ? std::realloc(block, new_size) : nullptr;
  large_ += moved != nullptr ? new_size - old_size : 0;
  return moved;
}

// A block that is to be smaller, when there is no memory for another one: it stays, and goes to the list of its new
// size when it is given back. At the worst a large one is then not freed with the VM.
void* LuaAllocator::keep(void* block, std::size_t old_size, std::size_t new_size) noexcept try {
  if (old_size > kLargest) {
    large_ -= old_size;
    void* trimmed = std::realloc(block, std::max(new_size, kGrain));
    block = trimmed != nullptr ? trimmed : block;
    kept_.push_back(block);
  }
  return block;
} catch (const std::bad_alloc&) {
  return block;
}

[[gnu::noinline]] void* LuaAllocator::resize(void* block, std::size_t old_size, std::size_t new_size) noexcept {
  if (old_size > kLargest && new_size > kLargest) {
    return resize_large(block, old_size, new_size);
  }
  if (old_size <= kLargest && new_size <= kLargest && list_of(old_size) == list_of(new_size)) {
    return block;
  }
  Guard* const guard = guard_;
  guard_ = new_size < old_size ? nullptr : guard;  // Lua counts on this never failing
  void* moved = take(new_size);
  guard_ = guard;
  if (moved == nullptr) {
    return new_size < old_size ? keep(block, old_size, new_size) : nullptr;
  }
  std::memcpy(moved, block, std::min(old_size, new_size));
  give(block, old_size);
  return moved;
}

}  // namespace perigee::script
