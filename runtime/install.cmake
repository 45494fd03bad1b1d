# What cmake --install leaves of the runtime: headers, libraries, a CMake package (find_package(ola)) and
# pkg-config files. In both, and in this tree, the libraries are ola::ola, ola::client, ola::sim.
if(NOT CMAKE_INSTALL_LIBDIR)
  set(CMAKE_INSTALL_LIBDIR lib) # where olac looks, from its bin/
endif()
if(NOT CMAKE_INSTALL_INCLUDEDIR)
  set(CMAKE_INSTALL_INCLUDEDIR include)
endif()
# olac in the build folder finds the headers beside itself, as it finds the libraries.
file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/include COPY_ON_ERROR SYMBOLIC)
include(CMakePackageConfigHelpers)

add_library(ola::ola ALIAS ola)
add_library(ola::client ALIAS ola_client)
add_library(ola::sim ALIAS ola_sim)
set_target_properties(ola_client PROPERTIES EXPORT_NAME client)
set_target_properties(ola_sim PROPERTIES EXPORT_NAME sim)
set_target_properties(olac_openmp PROPERTIES EXPORT_NAME openmp)

install(DIRECTORY include/ola DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS ola ola_client ola_sim olac_openmp EXPORT olaTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT olaTargets NAMESPACE ola:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ola)

set(OLA_OPENMP ${OpenMP_C_FOUND})
configure_package_config_file(olaConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/olaConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ola)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/olaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/olaConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/olaConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ola)

file(RELATIVE_PATH OLA_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /) # so that an installed tree may be moved
set(OLA_OPENMP_FLAGS "")
if(OpenMP_C_FOUND)
  set(OLA_OPENMP_FLAGS ${OpenMP_C_FLAGS})
endif()
foreach(name ola ola_client ola_sim)
  configure_file(${name}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
