// Loaded before LuaJIT by bench/profile.py: VMs are told nothing of the profiler, so that its presence can be counted.
void luaJIT_profile_start(void* state, const char* mode, void* callback, void* data) {
  (void)state, (void)mode, (void)callback, (void)data;
}
