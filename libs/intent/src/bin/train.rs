//! Trains the classifier from the data in the source tree: `cargo run --release -p intent --bin train`.
//!
//! Writes `model/vocabulary.txt`, `model/recall.gir`, `model/likely.gim` and `model/intents.gim` beside the data; with `--recall` not the last. Deterministic.

use std::path::Path;
use std::process::ExitCode;

use intent::train::{Grammar, Settings, train};
use intent::vocabulary;

fn main() -> ExitCode {
    let grammar = match Grammar::shipped() {
        Ok(g) => g,
        Err(e) => {
            eprintln!("train: {e}");
            return ExitCode::FAILURE;
        }
    };
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("model");
    let words = grammar.vocabulary().to_text();
    vocabulary::install(grammar.vocabulary());
    // Alone, these take some seconds.
    let index = intent::recall::index::build();
    if let Err(e) = std::fs::write(dir.join("recall.gir"), &index) {
        eprintln!("train: writing recall.gir: {e}");
        return ExitCode::FAILURE;
    }
    eprintln!("recall.gir: {} bytes", index.len());
    let likely = intent::likely::train(&intent::recall::index::pairs()).to_bytes();
    if let Err(e) = std::fs::write(dir.join("likely.gim"), &likely) {
        eprintln!("train: writing likely.gim: {e}");
        return ExitCode::FAILURE;
    }
    eprintln!("likely.gim: {} bytes", likely.len());
    if std::env::args().any(|a| a == "--recall") {
        return ExitCode::SUCCESS;
    }
    let model = train(&grammar, &Settings::default(), |line| eprintln!("{line}"));
    let bytes = model.to_bytes();
    for (name, data) in [("vocabulary.txt", words.as_bytes()), ("intents.gim", &bytes[..])] {
        if let Err(e) = std::fs::write(dir.join(name), data) {
            eprintln!("train: writing {}: {e}", dir.join(name).display());
            return ExitCode::FAILURE;
        }
        eprintln!("{}: {} bytes", dir.join(name).display(), data.len());
    }
    ExitCode::SUCCESS
}
