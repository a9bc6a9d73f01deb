//! Where the second ggml-cpu lies that `llama.cmake` has made: llama.cpp's build tells its dependents where its CMake files are.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(cmake) = std::env::var_os("DEP_LLAMA_GGML_CMAKE_DIR")
        && let Some(libraries) = Path::new(&cmake).parent()
    {
        println!("cargo:rustc-link-search=native={}", libraries.join("v3").display());
    }
}
