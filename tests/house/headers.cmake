# Two promises only the compiler can keep: each header compiles alone, and all of them may stand in
# two translation units of one program. The sources are generated from the list of the headers.
set(house_dir ${CMAKE_CURRENT_BINARY_DIR}/house)
set(headers ${multiprocessing_headers})
if(WIN32)
    list(FILTER headers EXCLUDE REGEX "/detail/posix/")
else()
    list(FILTER headers EXCLUDE REGEX "/detail/windows/")
endif()

set(alone_sources "")
set(include_all "")
set(include_public "")
foreach(header IN LISTS headers)
    cmake_path(
        RELATIVE_PATH header BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/include OUTPUT_VARIABLE path
    )
    set(include "#include <${path}>\n")
    string(APPEND include_all "${include}")
    if(NOT path MATCHES "/detail/")
        string(APPEND include_public "${include}")
    endif()

    string(REGEX REPLACE "\\.hpp$" ".cpp" source ${house_dir}/alone/${path})
    # Twice, so that a missing guard shows as well.
    file(CONFIGURE OUTPUT ${source} CONTENT "${include}${include}")
    list(APPEND alone_sources ${source})
endforeach()

file(
    CONFIGURE
    OUTPUT ${house_dir}/public.cpp
    CONTENT
        "${include_public}
#if defined(_WINDOWS_) || defined(_INC_WINDOWS)
#error \"a public header shows <windows.h>\"
#endif

int main() {}
"
)
file(CONFIGURE OUTPUT ${house_dir}/all.cpp CONTENT "${include_all}")

add_library(multiprocessing_headers_alone OBJECT EXCLUDE_FROM_ALL ${alone_sources})
add_executable(
    multiprocessing_headers_together EXCLUDE_FROM_ALL ${house_dir}/public.cpp ${house_dir}/all.cpp
)
foreach(target IN ITEMS multiprocessing_headers_alone multiprocessing_headers_together)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_link_libraries(
        ${target} PRIVATE multiprocessing::multiprocessing multiprocessing_warnings
    )
endforeach()

# multiprocessing_add_build_test(NAME TARGET): building TARGET is the test. What is
# built when ctest runs takes turns, since two builds in one folder would disturb each other, and
# takes two of ctest's jobs, since the tests beside it may not be starved.
function(multiprocessing_add_build_test name target)
    add_test(
        NAME ${name}
        COMMAND
            ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --config $<CONFIG> --target ${target}
    )
    set_tests_properties(
        ${name}
        PROPERTIES
            TIMEOUT 600
            LABELS "house"
            PROCESSORS 2
            RESOURCE_LOCK multiprocessing_build_folder
    )
endfunction()

multiprocessing_add_build_test(
    "house: each header compiles alone" multiprocessing_headers_alone
)
multiprocessing_add_build_test(
    "house: all headers link in two translation units" multiprocessing_headers_together
)
