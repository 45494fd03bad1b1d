# What import/ is generated from: the ONNX schema (libonnx-dev, through protoc-c), scanner and parser of grammar/.
# Sets IMPORT_GENERATED to the generated .c files in ${CMAKE_CURRENT_BINARY_DIR}.
set(IMPORT_GENERATED)

# The schema is a library of its own, so that generated code is spared the warnings and its header is a system header.
find_file(ONNX_PROTO onnx/onnx.proto REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
set(ONNX_SCHEMA_DIR ${CMAKE_CURRENT_BINARY_DIR}/schema)
file(MAKE_DIRECTORY ${ONNX_SCHEMA_DIR})
get_filename_component(onnx_proto_dir ${ONNX_PROTO} DIRECTORY)
add_custom_command(OUTPUT ${ONNX_SCHEMA_DIR}/onnx.pb-c.c ${ONNX_SCHEMA_DIR}/onnx.pb-c.h
  COMMAND ${PROTOC_C} --proto_path=${onnx_proto_dir} --c_out=${ONNX_SCHEMA_DIR} ${ONNX_PROTO}
  DEPENDS ${ONNX_PROTO} VERBATIM)
add_library(olac_onnx_schema STATIC ${ONNX_SCHEMA_DIR}/onnx.pb-c.c ${ONNX_SCHEMA_DIR}/onnx.pb-c.h)
target_include_directories(olac_onnx_schema SYSTEM PUBLIC ${ONNX_SCHEMA_DIR})
target_link_libraries(olac_onnx_schema PUBLIC PkgConfig::PROTOBUFC)

# Scanner and parser of the language. What Flex and Bison write is not held to the project's warnings.
find_package(FLEX 2.6 REQUIRED)
find_package(BISON 3.6 REQUIRED)
bison_target(model_parser ${PROJECT_SOURCE_DIR}/grammar/model.y ${CMAKE_CURRENT_BINARY_DIR}/model.tab.c
  DEFINES_FILE ${CMAKE_CURRENT_BINARY_DIR}/model.tab.h COMPILE_FLAGS "-Werror=conflicts-sr,conflicts-rr")
flex_target(model_scanner ${PROJECT_SOURCE_DIR}/grammar/model.l ${CMAKE_CURRENT_BINARY_DIR}/model.lex.c)
add_flex_bison_dependency(model_scanner model_parser)
list(APPEND IMPORT_GENERATED ${BISON_model_parser_OUTPUTS} ${FLEX_model_scanner_OUTPUTS})
set_source_files_properties(${BISON_model_parser_OUTPUT_SOURCE} ${FLEX_model_scanner_OUTPUTS}
  PROPERTIES COMPILE_OPTIONS "-w")
