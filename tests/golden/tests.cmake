# Golden pairs: golden/<folder>/x.ola and what is expected of it; see golden/run.sh.
add_executable(golden_show golden/show.c)
target_link_libraries(golden_show PRIVATE olac_import olac_options)
add_test(NAME golden_dsl COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/golden/run.sh $<TARGET_FILE:golden_show>
  ${CMAKE_CURRENT_SOURCE_DIR}/golden/dsl)

# The print of a model compiles to the same C as the model.
set(again sh ${CMAKE_CURRENT_SOURCE_DIR}/golden/same/again.sh $<TARGET_FILE:olac>)
set(shared ${PROJECT_SOURCE_DIR}/../shared/data)
add_test(NAME golden_again_text COMMAND ${again} ${CMAKE_CURRENT_SOURCE_DIR}/golden/same/tiny.ola)
add_test(NAME golden_again_onnx COMMAND ${again} ${shared}/models/mnist/cryptonets_relu.onnx
  --calib ${shared}/mnist/t10k-0-4999-images-idx3-ubyte.gz --calib-count 50)
add_test(NAME golden_again_batchnorm COMMAND ${again} ${shared}/models/mnist/onnx2c_mnist_pytorch.onnx
  --calib ${shared}/mnist/t10k-0-4999-images-idx3-ubyte.gz --calib-count 50)
set_tests_properties(golden_again_text golden_again_onnx golden_again_batchnorm PROPERTIES SKIP_RETURN_CODE 77)

# The generated code itself, as a CI would check it.
add_test(NAME golden_against COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/golden/network/against.sh $<TARGET_FILE:olac>
  ${CMAKE_CURRENT_SOURCE_DIR}/golden/network)
