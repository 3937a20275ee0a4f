# examples/NAME.expected is what the example of that name prints; see support/check_output.cmake.
# The examples that ask a name server get one of their own.
set(examples_that_need_dns call communicate)

file(GLOB expected_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/examples/*.expected)
foreach(expected IN LISTS expected_files)
    cmake_path(GET expected STEM name)
    if(NOT TARGET multiprocessing_example_${name})
        continue()
    endif()
    set(command $<TARGET_FILE:multiprocessing_example_${name}>)
    if(name IN_LIST examples_that_need_dns)
        list(PREPEND command ${CMAKE_CURRENT_SOURCE_DIR}/support/dns.sh)
    endif()
    add_test(
        NAME example.${name}
        COMMAND
            ${CMAKE_COMMAND} -D "COMMAND=${command}" -D EXPECTED=${expected}
            -P ${CMAKE_CURRENT_SOURCE_DIR}/support/check_output.cmake
    )
    set_tests_properties(
        example.${name}
        PROPERTIES TIMEOUT 60 LABELS "example" SKIP_REGULAR_EXPRESSION "skipped: "
    )
endforeach()
