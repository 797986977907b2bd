# What a wheel of llama-cpp-python needs not: llama.cpp's library for its own programs is most of a build, and nothing here links it. The wheel's own CMake
# switches it on in the cache, which only a variable that is set inside llama.cpp's project goes before.
set(LLAMA_BUILD_COMMON OFF)
