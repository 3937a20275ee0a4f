# Builds TARGET, whose only source is SOURCE, and fails unless the compiler refuses it in the words
# that its `// expect: REGEX` comments ask for.
cmake_minimum_required(VERSION 3.25)

file(READ ${SOURCE} head LIMIT 2000)
string(REGEX MATCHALL "// expect: [^\n]+" expectations "${head}")
if(NOT expectations)
    message(FATAL_ERROR "${SOURCE}: no `// expect: REGEX` comment in the first lines")
endif()

execute_process(
    COMMAND ${CMAKE_COMMAND} --build ${BUILD_DIR} --config ${CONFIG} --target ${TARGET}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
)
if(status EQUAL 0)
    message(FATAL_ERROR "${SOURCE} compiles; it must not")
endif()
foreach(expectation IN LISTS expectations)
    string(REGEX REPLACE "^// expect: " "" regex "${expectation}")
    if(NOT output MATCHES "${regex}")
        message(NOTICE "${output}")
        message(FATAL_ERROR "${SOURCE}: the compiler does not say `${regex}`")
    endif()
endforeach()
