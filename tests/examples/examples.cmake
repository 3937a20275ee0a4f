# examples/NAME.expected is what the example of that name prints; see support/check_output.cmake.
# Those whose lines come in no certain order are run by examples/NAME.cpp instead.

# The examples that ask a name server get one of their own; on Windows a program that answers as one
# would, since Wine has no nslookup.
set(examples_that_need_dns call communicate)

# The examples that start processes by whatever method is the default run a second time, as programs
# in which support/choose_spawn.cpp chooses spawn before main.
set(examples_to_spawn futures pipe pool process queue)
if(WIN32)  # Where that is the default.
    set(examples_to_spawn "")
endif()
if(MULTIPROCESSING_EXAMPLES)
    include(${PROJECT_SOURCE_DIR}/cmake/fmt.cmake)
endif()
foreach(name IN LISTS examples_to_spawn)
    if(NOT TARGET multiprocessing_example_${name})
        continue()
    endif()
    set(target multiprocessing_spawn_example_${name})
    multiprocessing_add_program(${target} support/choose_spawn.cpp ${name})
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/examples/${name}.cpp)
    target_link_libraries(${target} PRIVATE fmt::fmt)
    set_target_properties(
        ${target}
        PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/spawn_examples$<1:>
    )
endforeach()

function(add_example_test test program expected)
    add_test(
        NAME ${test}
        COMMAND
            ${CMAKE_COMMAND} -D "COMMAND=${program}" -D EXPECTED=${expected}
            -P ${CMAKE_CURRENT_SOURCE_DIR}/support/check_output.cmake
    )
    set_tests_properties(
        ${test} PROPERTIES TIMEOUT 60 LABELS "example" SKIP_REGULAR_EXPRESSION "skipped: "
    )
endfunction()

file(GLOB expected_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/examples/*.expected)
foreach(expected IN LISTS expected_files)
    cmake_path(GET expected STEM name)
    if(NOT TARGET multiprocessing_example_${name})
        continue()
    endif()
    set(command ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:multiprocessing_example_${name}>)
    if(name IN_LIST examples_that_need_dns AND NOT WIN32)
        list(PREPEND command ${CMAKE_CURRENT_SOURCE_DIR}/support/dns.sh)
    endif()
    add_example_test(example.${name} "${command}" ${expected})
    if(name IN_LIST examples_that_need_dns AND WIN32)
        # Wine has its own list of folders, and the folders of this machine on a drive Z.
        set_tests_properties(
            example.${name}
            PROPERTIES
                ENVIRONMENT_MODIFICATION
                "PATH=path_list_prepend:${CMAKE_CURRENT_BINARY_DIR}/children;WINEPATH=set:Z:${CMAKE_CURRENT_BINARY_DIR}/children"
        )
    endif()
    if(TARGET multiprocessing_spawn_example_${name})
        add_example_test(
            example.${name}.spawn $<TARGET_FILE:multiprocessing_spawn_example_${name}> ${expected}
        )
    endif()
endforeach()

# example_paths(NAME): tells tests/examples/NAME.cpp where the programs are.
function(example_paths name)
    set(test multiprocessing_test_examples.${name})
    set(example multiprocessing_example_${name})
    if(NOT TARGET ${test} OR NOT TARGET ${example})
        return()
    endif()
    add_dependencies(${test} ${example})
    set(programs "\"$<TARGET_FILE:${example}>\"")
    if(TARGET multiprocessing_spawn_example_${name})
        add_dependencies(${test} multiprocessing_spawn_example_${name})
        string(APPEND programs ",\"$<TARGET_FILE:multiprocessing_spawn_example_${name}>\"")
    endif()
    target_compile_definitions(${test} PRIVATE "MULTIPROCESSING_TEST_EXAMPLES=${programs}")
endfunction()

example_paths(fork)
example_paths(pool)
example_paths(queue)
