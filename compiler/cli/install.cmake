# The man page and the completions are what the program itself prints; made with every build, installed with it.
set(texts ${CMAKE_BINARY_DIR}/share)
file(MAKE_DIRECTORY ${texts})
add_custom_command(OUTPUT ${texts}/olac.1 ${texts}/olac.bash ${texts}/_olac ${texts}/olac.fish
  COMMAND olac --man > ${texts}/olac.1
  COMMAND olac --completion bash > ${texts}/olac.bash
  COMMAND olac --completion zsh > ${texts}/_olac
  COMMAND olac --completion fish > ${texts}/olac.fish
  DEPENDS olac VERBATIM)
add_custom_target(olac_texts ALL DEPENDS ${texts}/olac.1 ${texts}/olac.bash ${texts}/_olac ${texts}/olac.fish)

install(TARGETS olac RUNTIME DESTINATION bin)
install(FILES ${texts}/olac.1 DESTINATION share/man/man1)
install(FILES ${texts}/olac.bash DESTINATION share/bash-completion/completions RENAME olac)
install(FILES ${texts}/_olac DESTINATION share/zsh/site-functions)
install(FILES ${texts}/olac.fish DESTINATION share/fish/vendor_completions.d)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/templates/ DESTINATION share/olac/templates
  FILES_MATCHING PATTERN "*.c" PATTERN "*.h" PATTERN "CMakeLists.txt" PATTERN "README.md")
