# `cmake --install`: the headers, and what find_package(multiprocessing) needs in another project.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/multiprocessing)

install(
    TARGETS multiprocessing
    EXPORT multiprocessing-targets
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
)
install(
    EXPORT multiprocessing-targets
    NAMESPACE multiprocessing::
    DESTINATION ${package_dir}
)
configure_package_config_file(
    ${CMAKE_CURRENT_LIST_DIR}/multiprocessing-config.cmake.in
    ${PROJECT_BINARY_DIR}/multiprocessing-config.cmake
    INSTALL_DESTINATION ${package_dir}
)
# Before 1.0 a minor version may break what the one before it promised.
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/multiprocessing-config-version.cmake
    COMPATIBILITY SameMinorVersion
    ARCH_INDEPENDENT
)
install(
    FILES
        ${PROJECT_BINARY_DIR}/multiprocessing-config.cmake
        ${PROJECT_BINARY_DIR}/multiprocessing-config-version.cmake
    DESTINATION ${package_dir}
)
