# Header-only libraries of this machine, for a build that is not for this machine.
#
# multiprocessing_host_headers(RESULT FOLDER): where the machine has /usr/include/FOLDER, RESULT is a
# folder of the build that holds a link to it and nothing else. /usr/include itself may not become an
# include folder there: the C library's headers in it would stand in for those of the target.
function(multiprocessing_host_headers result folder)
    find_path(
        MULTIPROCESSING_HOST_${folder}
        NAMES ${folder}
        PATHS /usr/include
        NO_DEFAULT_PATH
        NO_CMAKE_FIND_ROOT_PATH
    )
    mark_as_advanced(MULTIPROCESSING_HOST_${folder})
    set(${result} "" PARENT_SCOPE)
    if(MULTIPROCESSING_HOST_${folder})
        set(links ${CMAKE_BINARY_DIR}/host_headers/${folder})
        file(MAKE_DIRECTORY ${links})
        file(CREATE_LINK ${MULTIPROCESSING_HOST_${folder}}/${folder} ${links}/${folder} SYMBOLIC)
        set(${result} ${links} PARENT_SCOPE)
    endif()
endfunction()
