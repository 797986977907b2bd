# What makes a build of llama-cpp-python's wheel short. The library of llama.cpp's own programs is most of it, and nothing here links that; the wheel's own
# CMake switches it on in the cache, which only a variable that is set inside llama.cpp's project goes before.
set(LLAMA_BUILD_COMMON OFF)

# A hundred and fifty sources of models read the same headers: they are compiled twenty at a time, the standard library is read once, and what only prepares a
# graph is not optimised further (what computes is ggml, which is built as ever).
function(openvet_short)
    file(GLOB models "${CMAKE_CURRENT_SOURCE_DIR}/src/models/*.cpp")
    set(number 0)
    foreach(model IN LISTS models)
        math(EXPR group "${number} / 20")
        set_source_files_properties("${model}" TARGET_DIRECTORY llama PROPERTIES UNITY_GROUP "models${group}")
        math(EXPR number "${number} + 1")
    endforeach()
    set_target_properties(llama PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    target_precompile_headers(llama PRIVATE <algorithm> <array> <functional> <map> <memory> <regex> <set> <sstream> <string> <unordered_map> <vector>)
    target_compile_options(llama PRIVATE -O1)
endfunction()
cmake_language(DEFER CALL openvet_short)
