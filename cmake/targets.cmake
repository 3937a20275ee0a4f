# How this project builds its own programs: tests, examples and benchmarks.
# Nothing here reaches a program that only uses the library.

# Warnings for our programs, and through them for our headers. Whether a warning is an error is the
# preset's choice (CMAKE_COMPILE_WARNING_AS_ERROR).
add_library(multiprocessing_warnings INTERFACE)
if(MSVC)
    # The C library's names that POSIX has too are used where both systems run the same line. C4324
    # tells that a structure is padded because of alignas, which is what alignas is for.
    target_compile_options(
        multiprocessing_warnings INTERFACE /W4 /wd4324 /permissive- /utf-8 /bigobj
    )
    target_compile_definitions(
        multiprocessing_warnings INTERFACE _CRT_NONSTDC_NO_WARNINGS _CRT_SECURE_NO_WARNINGS
    )
else()
    target_compile_options(
        multiprocessing_warnings
        INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Wnon-virtual-dtor
    )
endif()

# Sources are named relative to the folder of the CMakeLists.txt that calls these functions; the
# program of sub/folder/name.cpp is called "sub.folder.name".
function(multiprocessing_program_name result source)
    cmake_path(REMOVE_EXTENSION source LAST_ONLY)
    string(REPLACE "/" "." source ${source})
    set(${result} ${source} PARENT_SCOPE)
endfunction()

# multiprocessing_for_this_system(RESULT SOURCE): false for a file one of whose first lines is a
# comment that says `POSIX only` or `Windows only`, on the other of the two.
function(multiprocessing_for_this_system result source)
    if(WIN32)
        set(other_system POSIX)
    else()
        set(other_system Windows)
    endif()
    file(STRINGS ${source} elsewhere REGEX "^// (.*[^A-Za-z])?${other_system} only" LIMIT_COUNT 1)
    if(elsewhere)
        set(${result} FALSE PARENT_SCOPE)
    else()
        set(${result} TRUE PARENT_SCOPE)
    endif()
endfunction()

# multiprocessing_add_program(TARGET SOURCE OUTPUT_NAME): an executable that uses the library.
function(multiprocessing_add_program target source output_name)
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output_name} CXX_EXTENSIONS OFF)
    target_link_libraries(
        ${target} PRIVATE multiprocessing::multiprocessing multiprocessing_warnings
    )
endfunction()

# multiprocessing_add_example(SOURCE): examples/NAME.cpp becomes examples/NAME in the build folder,
# with fmt to print with.
function(multiprocessing_add_example source)
    multiprocessing_program_name(name ${source})
    multiprocessing_add_program(multiprocessing_example_${name} ${source} ${name})
    target_link_libraries(multiprocessing_example_${name} PRIVATE fmt::fmt)
endfunction()

# multiprocessing_add_bench(SOURCE): bench/NAME.cpp becomes bench/NAME in the build folder, with
# Google Benchmark but without its main, so that a program can call freeze_support first.
function(multiprocessing_add_bench source)
    multiprocessing_program_name(name ${source})
    multiprocessing_add_program(multiprocessing_bench_${name} ${source} ${name})
    target_link_libraries(multiprocessing_bench_${name} PRIVATE benchmark::benchmark)
endfunction()

# multiprocessing_add_test(NAMED SOURCE): a file of Catch2 test cases becomes a program that is named
# as NAMED says, and each test case in it a test of ctest with the labels "unit" and that name.
function(multiprocessing_add_test named source)
    multiprocessing_program_name(name ${named})
    set(target multiprocessing_test_${name})
    multiprocessing_add_program(${target} ${source} ${name})
    target_link_libraries(${target} PRIVATE multiprocessing_test_main)
    target_precompile_headers(${target} REUSE_FROM multiprocessing_test_main)
    catch_discover_tests(
        ${target} TEST_LIST discovered EXTRA_ARGS ${MULTIPROCESSING_CATCH2_STRICT}
    )

    # Included by ctest after the list of the tests, whose name it then knows. Catch's own PROPERTIES
    # argument cannot carry a list of two labels.
    # The TIMEOUT is longer than the tests' own watchdog, which tells where a test hangs.
    set(properties_file ${CMAKE_CURRENT_BINARY_DIR}/${target}_properties.cmake)
    file(
        CONFIGURE
        OUTPUT ${properties_file}
        @ONLY
        CONTENT
            [[
foreach(test IN LISTS discovered)
    set_tests_properties("${test}" PROPERTIES TIMEOUT 300 LABELS "unit;@name@" @MULTIPROCESSING_SANITIZER_PROPERTIES@)
endforeach()
unset(discovered)
]]
    )
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${properties_file})
endfunction()

# Clang's sanitizers name functions in their reports with the symbolizer of the same release, which
# Debian installs under a name they do not look for.
set(MULTIPROCESSING_SANITIZER_PROPERTIES "")
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    string(REGEX MATCH "^[0-9]+" clang_major ${CMAKE_CXX_COMPILER_VERSION})
    find_program(
        MULTIPROCESSING_SYMBOLIZER
        NAMES llvm-symbolizer-${clang_major} llvm-symbolizer
        DOC "The symbolizer that sanitizers' reports use"
    )
    mark_as_advanced(MULTIPROCESSING_SYMBOLIZER)
    if(MULTIPROCESSING_SYMBOLIZER)
        set(MULTIPROCESSING_SANITIZER_PROPERTIES "ENVIRONMENT_MODIFICATION")
        set(separator " \"")
        foreach(options IN ITEMS ASAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS)
            string(
                APPEND MULTIPROCESSING_SANITIZER_PROPERTIES
                "${separator}${options}=path_list_append:external_symbolizer_path=${MULTIPROCESSING_SYMBOLIZER}"
            )
            set(separator ";")
        endforeach()
        string(APPEND MULTIPROCESSING_SANITIZER_PROPERTIES "\"")
    endif()
endif()
