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
