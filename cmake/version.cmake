# Reads the version from config.hpp, the one place where it is written.
set(config_header ${CMAKE_CURRENT_LIST_DIR}/../include/multiprocessing/config.hpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${config_header})
file(STRINGS ${config_header} version_lines REGEX "#define MULTIPROCESSING_VERSION_")

foreach(part IN ITEMS MAJOR MINOR PATCH)
    if(NOT version_lines MATCHES "MULTIPROCESSING_VERSION_${part} ([0-9]+)")
        message(FATAL_ERROR "config.hpp does not define MULTIPROCESSING_VERSION_${part}")
    endif()
    set(version_${part} ${CMAKE_MATCH_1})
endforeach()
set(MULTIPROCESSING_VERSION ${version_MAJOR}.${version_MINOR}.${version_PATCH})
