# compile_fail/NAME.cpp must not compile, and the compiler must say what the comments
# `// expect: REGEX` (CMake's regular expressions) in its first lines ask for. A file that mentions
# MULTIPROCESSING_TEST_CONTROL must compile where that is defined: so it fails for no other reason.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/compile_fail/*.cpp)
foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    set(target multiprocessing_compile_fail_${name})
    add_library(${target} OBJECT EXCLUDE_FROM_ALL ${source})
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_link_libraries(${target} PRIVATE multiprocessing::multiprocessing)

    add_test(
        NAME "compile_fail: ${name}"
        COMMAND
            ${CMAKE_COMMAND} -D SOURCE=${source} -D BUILD_DIR=${CMAKE_BINARY_DIR}
            -D CONFIG=$<CONFIG> -D TARGET=${target}
            -P ${CMAKE_CURRENT_SOURCE_DIR}/support/expect_compile_error.cmake
    )
    set_tests_properties(
        "compile_fail: ${name}"
        PROPERTIES
            TIMEOUT 300
            LABELS "compile_fail"
            PROCESSORS 2
            RESOURCE_LOCK multiprocessing_build_folder
    )

    file(STRINGS ${source} control REGEX "MULTIPROCESSING_TEST_CONTROL")
    if(control)
        add_library(${target}_control OBJECT EXCLUDE_FROM_ALL ${source})
        set_target_properties(${target}_control PROPERTIES CXX_EXTENSIONS OFF)
        target_compile_definitions(${target}_control PRIVATE MULTIPROCESSING_TEST_CONTROL)
        target_link_libraries(${target}_control PRIVATE multiprocessing::multiprocessing)
        multiprocessing_add_build_test("compile_fail: ${name}, control" ${target}_control)
    endif()
endforeach()
