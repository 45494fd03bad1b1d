# Benchmarks: programs to run by hand, as their head comments say; nothing here is a timed test.
add_executable(bench_ring ${CMAKE_CURRENT_SOURCE_DIR}/bench/bench_ring.c)
target_include_directories(bench_ring PRIVATE ${PROJECT_SOURCE_DIR}/runtime)
target_compile_definitions(bench_ring PRIVATE _GNU_SOURCE)
target_link_libraries(bench_ring PRIVATE ola)
add_executable(bench_ckks ${CMAKE_CURRENT_SOURCE_DIR}/bench/bench_ckks.c)
target_compile_definitions(bench_ckks PRIVATE _GNU_SOURCE)
target_link_libraries(bench_ckks PRIVATE ola_client ola)
