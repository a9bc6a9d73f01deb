//! For any x86-64 processor with SSE 4.2.

fn main() -> anyhow::Result<()> {
    genaid_llama::run()
}
