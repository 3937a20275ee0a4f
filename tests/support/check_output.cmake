# Runs COMMAND (a list), whose standard output is a pipe here, and compares what it prints with the
# file EXPECTED line for line. Empty lines do not count. <P> in a line stands for a number, the same
# one wherever that name stands. The exit status must be 0. Where it is 77, the reason for skipping
# that the command gave is printed for ctest to see.
cmake_minimum_required(VERSION 3.25)

# The lines of a text as a list, with what would disturb a list taken out of the way.
function(read_lines result text)
    foreach(character IN ITEMS ";" "[" "]" "\\")
        string(FIND ";[]\\" "${character}" code)
        math(EXPR code "${code} + 1")
        string(ASCII ${code} replacement)
        string(REPLACE "${character}" "${replacement}" text "${text}")
    endforeach()
    string(REPLACE "\r\n" "\n" text "${text}")
    string(REPLACE "\n" ";" text "${text}")
    list(FILTER text EXCLUDE REGEX "^$")
    set(${result} "${text}" PARENT_SCOPE)
endfunction()

execute_process(
    COMMAND ${COMMAND}
    OUTPUT_VARIABLE output
    ERROR_VARIABLE errors
    RESULT_VARIABLE status
)
if(status EQUAL 77)
    message(STATUS "${errors}")
    return()
endif()

file(READ ${EXPECTED} expected)
read_lines(expected_lines "${expected}")
read_lines(lines "${output}")

# fail(MESSAGE): ends the test with the message under all that the command printed.
function(fail text)
    message(NOTICE "Standard output:\n${output}\nStandard error:\n${errors}")
    message(FATAL_ERROR "${text}\nThe exit status is ${status}.")
endfunction()

foreach(expected_line IN LISTS expected_lines)
    list(POP_FRONT lines line)
    string(REGEX REPLACE "([+.*^$()?|{}])" "\\\\\\1" regex "${expected_line}")
    string(REGEX MATCHALL "<[A-Za-z]+>" names "${regex}")
    string(REGEX REPLACE "<[A-Za-z]+>" "([0-9]+)" regex "${regex}")
    set(matches FALSE)
    if(line MATCHES "^${regex}$")
        set(matches TRUE)
        set(index 0)
        foreach(name IN LISTS names)
            math(EXPR index "${index} + 1")
            if(NOT DEFINED value_${name})
                set(value_${name} ${CMAKE_MATCH_${index}})
            elseif(NOT value_${name} STREQUAL CMAKE_MATCH_${index})
                set(matches FALSE)
            endif()
        endforeach()
    endif()
    if(NOT matches)
        fail("Expected `${expected_line}`, got `${line}`.")
    endif()
endforeach()
if(lines)
    fail("Nothing more was expected, got `${lines}`.")
endif()
if(NOT status EQUAL 0)
    fail("It printed what was expected and failed.")
endif()
