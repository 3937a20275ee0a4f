# compile_fail/NAME.cpp must not compile, and the compiler must say what the comments
# `// expect: REGEX` (CMake's regular expressions) in its first ten lines ask for.
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
            ${CMAKE_COMMAND} -D SOURCE=${source} -D BUILD_DIR=${PROJECT_BINARY_DIR}
            -D CONFIG=$<CONFIG> -D TARGET=${target}
            -P ${CMAKE_CURRENT_SOURCE_DIR}/support/expect_compile_error.cmake
    )
    set_tests_properties(
        "compile_fail: ${name}"
        PROPERTIES
            TIMEOUT 300
            LABELS "compile_fail"
            RESOURCE_LOCK multiprocessing_build_folder
    )
endforeach()
