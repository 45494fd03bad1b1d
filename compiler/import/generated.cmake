# What import/ is generated from: the ONNX schema (libonnx-dev, through protoc-c), scanner and parser of grammar/.
# Sets IMPORT_GENERATED to the generated .c files in ${CMAKE_CURRENT_BINARY_DIR}.
set(IMPORT_GENERATED)
