# Included by llama.cpp's build after each project() (CMAKE_PROJECT_INCLUDE in .cargo/config.toml): what its own options do not offer.
#
# The part that computes (ggml-cpu) is built for processors with SSE 4.2 by the options, and here a second time for those with AVX2.
# Everything else is in both runners the same, and built once.

function(genai_second_cpu)
    # Weights are not repacked (GGML_CPU_REPACK), so what does it is dead.
    get_target_property(sources ggml-cpu SOURCES)
    list(FILTER sources EXCLUDE REGEX "repack\\.cpp$")
    set_target_properties(ggml-cpu PROPERTIES SOURCES "${sources}")
    get_target_property(folder ggml-cpu SOURCE_DIR)
    get_target_property(includes ggml-cpu INCLUDE_DIRECTORIES)
    get_target_property(definitions ggml-cpu COMPILE_DEFINITIONS)
    get_directory_property(common DIRECTORY "${folder}" COMPILE_DEFINITIONS)
    list(TRANSFORM sources PREPEND "${folder}/")
    list(FILTER definitions EXCLUDE REGEX "^GGML_SSE42$")

    add_library(ggml-cpu-v3 STATIC ${sources})
    target_include_directories(ggml-cpu-v3 PRIVATE ${includes})
    target_link_libraries(ggml-cpu-v3 PRIVATE ggml-base)
    target_compile_features(ggml-cpu-v3 PRIVATE c_std_11 cxx_std_17)
    target_compile_definitions(ggml-cpu-v3 PRIVATE ${definitions} ${common} GGML_SSE42 GGML_AVX GGML_AVX2 GGML_FMA GGML_F16C GGML_BMI2)
    target_compile_options(ggml-cpu-v3 PRIVATE -msse4.2 -mavx -mavx2 -mfma -mf16c -mbmi2)
    # In a folder of its own: what lies in lib/ goes into the Rust library.
    install(TARGETS ggml-cpu-v3 ARCHIVE DESTINATION lib/v3)
endfunction()

# Time of building is dear: what reads files and describes what is to be computed is no hot path.
function(genai_quick_build)
    target_compile_options(llama PRIVATE -O1)
    target_compile_options(ggml-base PRIVATE -O2)
endfunction()

if(PROJECT_NAME STREQUAL "ggml")
    cmake_language(DEFER CALL genai_second_cpu)
elseif(PROJECT_NAME STREQUAL "llama.cpp")
    # Command lines, downloads, chat templates: the crate asks for them by its default features, nothing here calls them.
    set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)
    cmake_language(DEFER CALL genai_quick_build)
endif()
