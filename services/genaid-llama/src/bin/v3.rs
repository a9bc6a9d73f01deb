//! For processors with AVX2, FMA, F16C and BMI2: the same, but for the library that computes.

// Taken whole and before all others, so that it stands for the one with the same names in llama.cpp's Rust library.
#[link(name = "ggml-cpu-v3", kind = "static", modifiers = "+whole-archive")]
unsafe extern "C" {}

fn main() -> anyhow::Result<()> {
    genaid_llama::run()
}
