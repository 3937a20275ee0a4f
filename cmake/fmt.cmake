# fmt, which the examples print with; the library itself does without it.
#
# A package on the machine comes first; without one, a pinned release is downloaded.
include_guard(DIRECTORY)
include(FetchContent)

# A build for another system uses the headers of the machine's package alone.
if(NOT TARGET fmt::fmt AND CMAKE_CROSSCOMPILING)
    include(${CMAKE_CURRENT_LIST_DIR}/host_headers.cmake)
    multiprocessing_host_headers(fmt_headers fmt)
    if(fmt_headers)
        add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
        target_include_directories(fmt::fmt SYSTEM INTERFACE ${fmt_headers})
        target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
    endif()
endif()

if(NOT TARGET fmt::fmt)
    FetchContent_Declare(
        fmt
        URL https://github.com/fmtlib/fmt/releases/download/11.2.0/fmt-11.2.0.zip
        URL_HASH SHA256=203eb4e8aa0d746c62d8f903df58e0419e3751591bb53ff971096eaa0ebd4ec3
        SYSTEM
        FIND_PACKAGE_ARGS 9
    )
    block()
        set(CMAKE_COMPILE_WARNING_AS_ERROR OFF)
        FetchContent_MakeAvailable(fmt)
    endblock()
endif()
