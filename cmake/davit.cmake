# davit_library(<folder> DEPS <our folders> LINK <outside targets>): one static library davit_<folder> for one folder of src/.
# Every *.cpp goes into it but main.cpp, which is the program's, and *_test.cpp: those make one test binary davit_<folder>_test.
option(DAVIT_TESTS "build the tests (needs GoogleTest: scripts/setup --dev)" ON)
option(DAVIT_BENCH "build the micro benchmarks (needs Google Benchmark: scripts/setup --dev)" OFF)
option(DAVIT_WERROR "treat warnings as errors" OFF)
set(DAVIT_SANITIZE "" CACHE STRING "sanitizers for the whole tree, as in address,undefined")

add_library(davit_options INTERFACE)
target_include_directories(davit_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(davit_options INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(davit_options INTERFACE -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                       -Wno-missing-designated-field-initializers)
if(DAVIT_WERROR)
  target_compile_options(davit_options INTERFACE -Werror)
endif()
if(DAVIT_SANITIZE)
  add_compile_options(-fsanitize=${DAVIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DAVIT_SANITIZE})
endif()

# Who may include whom (src/LAYERS): a tenth of a second, so every build asks.
set(DAVIT_PYTHON /usr/bin/python3)  # Debian's own, which has the packages that scripts/setup installs
add_custom_target(check_layers ALL COMMAND ${CMAKE_SOURCE_DIR}/scripts/check_layers COMMENT "layers" VERBATIM)

if(DAVIT_TESTS)
  find_package(GTest REQUIRED)
endif()

# davit_test_target(<target>): of nothing but tests. They are built more often than they run, and GoogleTest's headers are two fifths of that.
function(davit_test_target name)
  target_compile_options(${name} PRIVATE -O0 "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
endfunction()

# davit_add_unit_test(<name>_test <seconds>): ctest knows it as <name>, by the label "unit". Unit tests run where the sanitizers watch them; a
# release build makes them only when they are asked for by name.
function(davit_add_unit_test name timeout)
  davit_test_target(${name})
  if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT DAVIT_SANITIZE)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  string(REGEX REPLACE "_test$" "" test ${name})
  add_test(NAME ${test} COMMAND ${name})
  set_tests_properties(${test} PROPERTIES LABELS unit TIMEOUT ${timeout} ENVIRONMENT
    "ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-19/bin/llvm-symbolizer;UBSAN_OPTIONS=print_stacktrace=1:external_symbolizer_path=/usr/lib/llvm-19/bin/llvm-symbolizer")
endfunction()

# davit_unit_test(<name>_test [TIMEOUT <seconds>] <sources…>): a GoogleTest binary.
function(davit_unit_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE davit_options GTest::gmock GTest::gtest_main)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  davit_add_unit_test(${name} ${ARG_TIMEOUT})
endfunction()

function(davit_library folder)
  cmake_parse_arguments(ARG "" "" "DEPS;LINK" ${ARGN})
  string(REPLACE "/" "_" name davit_${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM ARG_DEPS PREPEND davit_ OUTPUT_VARIABLE deps)
  string(REPLACE "/" "_" deps "${deps}")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC davit_options ${deps} ${ARG_LINK})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE davit_options ${deps} ${ARG_LINK})
  endif()
  if(tests AND DAVIT_TESTS)
    davit_unit_test(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name})
  endif()
endfunction()
