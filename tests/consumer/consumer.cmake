# Each way of use as a project of its own, configured, built and run: the installed package, a
# subdirectory, and FetchContent.
set(consumer_dir ${CMAKE_CURRENT_BINARY_DIR}/consumer)

# The same compiler, flags and dependencies as here.
set(consumer_arguments
    -D CMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
    -D CMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}
    -D CMAKE_BUILD_TYPE=$<CONFIG>
)
foreach(variable IN ITEMS CMAKE_TOOLCHAIN_FILE CMAKE_PREFIX_PATH)
    if(${variable})
        string(REPLACE ";" "\\;" value "${${variable}}")
        list(APPEND consumer_arguments -D "${variable}=${value}")
    endif()
endforeach()

# multiprocessing_add_consumer_test(NAME ARGUMENTS...): consumer/NAME with these -D arguments.
function(multiprocessing_add_consumer_test name)
    add_test(
        NAME "consumer: ${name}"
        COMMAND
            ${CMAKE_CTEST_COMMAND} --build-and-test
            ${PROJECT_SOURCE_DIR}/tests/consumer/${name} ${consumer_dir}/${name}
            --build-generator ${CMAKE_GENERATOR}
            --build-options --fresh ${consumer_arguments} ${ARGN}
            --test-command consumer
    )
    set_tests_properties(
        "consumer: ${name}" PROPERTIES TIMEOUT 300 LABELS "consumer" PROCESSORS 2
    )
endfunction()

multiprocessing_add_consumer_test(
    add_subdirectory -D MULTIPROCESSING_SOURCE_DIR=${PROJECT_SOURCE_DIR}
)
multiprocessing_add_consumer_test(
    fetch_content -D MULTIPROCESSING_SOURCE_DIR=${PROJECT_SOURCE_DIR}
)
if(MULTIPROCESSING_INSTALL)
    add_test(
        NAME "consumer: install"
        COMMAND
            ${CMAKE_COMMAND} -D BUILD_DIR=${PROJECT_BINARY_DIR} -D CONFIG=$<CONFIG>
            -D PREFIX=${consumer_dir}/prefix
            -P ${CMAKE_CURRENT_SOURCE_DIR}/support/install_afresh.cmake
    )
    set_tests_properties(
        "consumer: install" PROPERTIES TIMEOUT 60 LABELS "consumer" FIXTURES_SETUP installed
    )
    multiprocessing_add_consumer_test(
        find_package
        -D MULTIPROCESSING_VERSION=${PROJECT_VERSION}
        -D multiprocessing_ROOT=${consumer_dir}/prefix
    )
    set_tests_properties("consumer: find_package" PROPERTIES FIXTURES_REQUIRED installed)
endif()
