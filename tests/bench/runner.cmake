# The logic of bench/'s runner: how programs end, ratios, verdicts, tables, charts. It needs Python,
# which the library and its tests else do without, and no benchmark. Like bench/ it is POSIX only.
find_program(MULTIPROCESSING_PYTHON python3)
if(MULTIPROCESSING_PYTHON AND NOT WIN32)
    add_test(
        NAME "bench: the runner judges and renders"
        COMMAND
            ${MULTIPROCESSING_PYTHON} -B -m unittest discover --start-directory
            ${CMAKE_CURRENT_SOURCE_DIR}/bench
    )
    set_tests_properties("bench: the runner judges and renders" PROPERTIES TIMEOUT 60 LABELS "bench")
endif()
