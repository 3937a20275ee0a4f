# Catch2 for the tests: release 3 or 2.13 of the machine, else a pinned release is downloaded.
# Makes Catch2::Catch2 and catch_discover_tests, and names in MULTIPROCESSING_CATCH2_STRICT what
# keeps a program from passing when no test case has the name it was given.
include(FetchContent)

find_package(Catch2 3 QUIET)
if(NOT Catch2_FOUND)
    find_package(Catch2 2.13 QUIET)
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
