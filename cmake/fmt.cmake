# fmt, which the examples print with; the library itself does without it.
#
# A package on the machine comes first; without one, a pinned release is downloaded.
include(FetchContent)

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
