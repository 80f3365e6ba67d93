# Each fuzz target once more, by any compiler: what once broke it, and its seeds, are replayed by ctest.
foreach(target fuzz_head fuzz_body fuzz_router fuzz_url fuzz_multipart fuzz_forwarded fuzz_proxy fuzz_ranges)
  add_executable(replay_${target} ${CMAKE_CURRENT_LIST_DIR}/${target}.cc ${CMAKE_CURRENT_LIST_DIR}/replay_main.cc)
  target_link_libraries(replay_${target} PRIVATE perigee_http perigee_net)
  add_test(NAME ${target}.replay COMMAND replay_${target} ${CMAKE_CURRENT_LIST_DIR}/regression/${target})
endforeach()
