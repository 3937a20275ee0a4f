# Catch2 for the tests: release 3 or 2.13 of the machine, else a pinned release is downloaded.
# Makes Catch2::Catch2 and catch_discover_tests, and names in MULTIPROCESSING_CATCH2_STRICT what
# keeps a program from passing when no test case has the name it was given.
include(FetchContent)

find_package(Catch2 3 QUIET)
if(NOT Catch2_FOUND)
    find_package(Catch2 2.13 QUIET)
endif()

# A build for another system cannot use the machine's library, but can its headers, if that is all.
if(NOT Catch2_FOUND AND CMAKE_CROSSCOMPILING)
    include(${CMAKE_CURRENT_LIST_DIR}/host_headers.cmake)
    multiprocessing_host_headers(catch2_headers catch2)
    find_file(
        MULTIPROCESSING_CATCH2_MODULE
        NAMES Catch2/Catch.cmake
        PATHS /usr/lib/cmake /usr/share/cmake
        NO_DEFAULT_PATH
        NO_CMAKE_FIND_ROOT_PATH
    )
    mark_as_advanced(MULTIPROCESSING_CATCH2_MODULE)
    if(EXISTS ${catch2_headers}/catch2/catch.hpp AND MULTIPROCESSING_CATCH2_MODULE)
        add_library(Catch2::Catch2 INTERFACE IMPORTED)
        target_include_directories(Catch2::Catch2 SYSTEM INTERFACE ${catch2_headers})
        cmake_path(GET MULTIPROCESSING_CATCH2_MODULE PARENT_PATH catch2_modules)
        list(APPEND CMAKE_MODULE_PATH ${catch2_modules})
        set(Catch2_FOUND TRUE)
        set(Catch2_VERSION 2.13)
    endif()
endif()

if(NOT Catch2_FOUND)
    FetchContent_Declare(
        Catch2
        URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.8.1.tar.gz
        URL_HASH SHA256=18b3f70ac80fccc340d8c6ff0f339b2ae64944782f8d2fca2bd705cf47cadb79
        SYSTEM
    )
    block()
        set(CMAKE_COMPILE_WARNING_AS_ERROR OFF)
        FetchContent_MakeAvailable(Catch2)
    endblock()
    FetchContent_GetProperties(Catch2)
    list(APPEND CMAKE_MODULE_PATH ${catch2_SOURCE_DIR}/extras)
endif()
include(Catch)

if(Catch2_FOUND AND Catch2_VERSION VERSION_LESS 3)
    set(MULTIPROCESSING_CATCH2_STRICT --warn NoTests)
else()
    set(MULTIPROCESSING_CATCH2_STRICT --warn UnmatchedTestSpec)
endif()
