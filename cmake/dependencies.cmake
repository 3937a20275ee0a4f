# What a program that uses the library needs: fmt and the platform's threads.
#
# A package on the machine comes first; without one, a pinned release is downloaded. Both are made
# global: who adds this project as a subdirectory links through it to targets found here.
include(FetchContent)

if(NOT TARGET Threads::Threads)
    find_package(Threads REQUIRED GLOBAL)
endif()

if(NOT TARGET fmt::fmt)
    FetchContent_Declare(
        fmt
        URL https://github.com/fmtlib/fmt/releases/download/11.2.0/fmt-11.2.0.zip
        URL_HASH SHA256=203eb4e8aa0d746c62d8f903df58e0419e3751591bb53ff971096eaa0ebd4ec3
        SYSTEM
        FIND_PACKAGE_ARGS 9 GLOBAL
    )
    # Where this project is installed, a downloaded fmt goes with it: the headers include it.
    block()
        set(FMT_INSTALL ${MULTIPROCESSING_INSTALL})
        set(CMAKE_COMPILE_WARNING_AS_ERROR OFF)
        FetchContent_MakeAvailable(fmt)
    endblock()
endif()
