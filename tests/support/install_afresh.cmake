# Installs BUILD_DIR to PREFIX, where nothing of an earlier installation is left.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${PREFIX})
execute_process(
    COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --config ${CONFIG} --prefix ${PREFIX}
    COMMAND_ERROR_IS_FATAL ANY
)
