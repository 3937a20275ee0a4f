# Several files of test cases compiled as one.

# multiprocessing_can_batch(RESULT SOURCE): whether a file of test cases can stand in a namespace of
# its own, as it must in a batch: it has no other namespaces with names, defines nothing of theirs, and
# has no macros.
function(multiprocessing_can_batch result source)
    set(${result} FALSE PARENT_SCOPE)
    file(READ ${source} text)
    string(FIND "${text}" "\nnamespace {\n" begin)
    set(elsewhere "namespace [a-z_:]+ {|template <>|void [a-z_]+::|MULTIPROCESSING_[A-Z_]+\\(")
    if(begin EQUAL -1 OR text MATCHES "\n(${elsewhere}|#define)")
        return()
    endif()
    string(SUBSTRING "${text}" 0 ${begin} prologue)
    string(REGEX REPLACE "(^|\n)([#/]|namespace [a-z_]+ =|using )[^\n]*" "" code "${prologue}")
    string(STRIP "${code}" code)
    if(code STREQUAL "")
        set(${result} TRUE PARENT_SCOPE)
    endif()
endfunction()

# multiprocessing_write_batch(PATH SOURCES): a source made of several. First what all include, so
# that it is not included anew within the namespaces in which they then stand.
function(multiprocessing_write_batch path sources)
    set(includes "")
    set(bodies "")
    foreach(source IN LISTS sources)
        file(READ ${source} text)
        string(FIND "${text}" "\nnamespace {\n" begin)
        string(SUBSTRING "${text}" 0 ${begin} prologue)
        string(APPEND includes "${prologue}\n")
        string(MAKE_C_IDENTIFIER ${source} name)
        string(
            APPEND bodies "namespace ${name} {\n#include \"${source}\"\n}  // namespace ${name}\n"
        )
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    endforeach()
    set(written "")
    if(EXISTS ${path})
        file(READ ${path} written)
    endif()
    if(NOT written STREQUAL "${includes}${bodies}")
        file(WRITE ${path} "${includes}${bodies}")
    endif()
endfunction()

# multiprocessing_add_batch(FOLDER NUMBER SOURCES): the sources as one program, FOLDER.NUMBER.
function(multiprocessing_add_batch folder number sources)
    list(LENGTH sources length)
    if(length LESS 2)
        foreach(source IN LISTS sources)
            multiprocessing_add_test(${source} ${source})
        endforeach()
        return()
    endif()
    set(path ${CMAKE_CURRENT_BINARY_DIR}/batches/${folder}/${number}.cpp)
    multiprocessing_write_batch(${path} "${sources}")
    multiprocessing_add_test(${folder}/${number}.cpp ${path})
endfunction()

# multiprocessing_add_batches(SIZE SOURCES): the files of each folder in programs of SIZE of them,
# which takes less than half the time: what a pool is made of takes longer to compile than what a file
# does with it. Those that cannot be batched are programs of their own, and those of detail, which are
# quick to compile and take in all of its names.
function(multiprocessing_add_batches size sources)
    set(number 0)
    set(batch "")
    set(last_folder "")
    foreach(source IN LISTS sources)
        multiprocessing_can_batch(can_batch ${source})
        cmake_path(GET source PARENT_PATH folder)
        if(NOT can_batch OR folder MATCHES "^(detail)?$")
            multiprocessing_add_test(${source} ${source})
            continue()
        endif()
        list(LENGTH batch length)
        if(length EQUAL size OR NOT folder STREQUAL last_folder)
            multiprocessing_add_batch("${last_folder}" ${number} "${batch}")
            set(batch "")
            if(NOT folder STREQUAL last_folder)
                set(number 0)
            endif()
            math(EXPR number "${number} + 1")
        endif()
        list(APPEND batch ${source})
        set(last_folder ${folder})
    endforeach()
    multiprocessing_add_batch("${last_folder}" ${number} "${batch}")
endfunction()
