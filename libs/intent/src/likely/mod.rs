//! How well a command goes with the wording of a request: for each program, option and form that known commands are made of, how likely the request's words make it.
//!
//! One logistic regression a label, over the words of the request and their neighbours, all in one sparse table ([`crate::model`]); learnt from the known pairs.

pub mod labels;
mod train;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::model::Model;
use crate::recall::lexer;

pub use train::train;

/// Features are hashed into so many buckets.
const BUCKETS: u32 = 1 << 14;

/// What a label costs that is too rare to be learnt.
const RARE: f32 = -4.5;

/// The shipped one.
pub fn shipped() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| Model::parse(include_bytes!("../../model/likely.gim")).expect("the shipped model is well formed, a test checks it"))
}

/// Whether the shipped one was learnt from the data in the source tree.
pub fn is_of_this_data() -> bool {
    shipped().data_hash == crate::recall::index::data_hash()
}

fn bucket(parts: &[&str]) -> u32 {
    let h = parts.iter().flat_map(|p| p.bytes().chain([0x1f])).fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    (h ^ (h >> 15)) & (BUCKETS - 1)
}

/// The features of a request's pieces: words, neighbours, words two apart, the first word.
fn features(pieces: &[lexer::Piece]) -> Vec<u32> {
    let words: Vec<String> = pieces
        .iter()
        .map(|p| match p {
            lexer::Piece::Word(w) => w.clone(),
            lexer::Piece::Value(s, _) => format!("<{}>", s.letter()),
        })
        .collect();
    let mut out = vec![bucket(&["bias"])];
    for (i, w) in words.iter().enumerate() {
        out.push(bucket(&["u", w]));
        if let Some(next) = words.get(i + 1) {
            out.push(bucket(&["b", w, next]));
        }
        if let Some(next) = words.get(i + 2) {
            out.push(bucket(&["s", w, next]));
        }
    }
    if let Some(first) = words.first() {
        out.push(bucket(&["first", first]));
    }
    if let Some(last) = words.last() {
        out.push(bucket(&["last", last]));
    }
    for p in pieces {
        // What a value is often says which option takes it.
        if let lexer::Piece::Value(_, v) = p
            && (v.len() < 3 || matches!(v.as_str(), "/" | "." | "~"))
        {
            out.push(bucket(&["v", v]));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// What a request makes likely.
pub struct Likely<'m> {
    model: &'m Model,
    /// For each label, the logarithms of its probability and of the probability of its absence.
    logs: Vec<(f32, f32)>,
    /// The sum of the latter.
    nothing: f32,
}

impl<'m> Likely<'m> {
    /// Of a request's pieces.
    pub fn new(model: &'m Model, pieces: &[lexer::Piece]) -> Likely<'m> {
        let logs: Vec<(f32, f32)> = model.logits(&features(pieces)).into_iter().map(|z| (log_sigmoid(z).max(-7.0), log_sigmoid(-z).max(-7.0))).collect();
        let nothing = logs.iter().map(|l| l.1).sum();
        Likely { model, logs, nothing }
    }

    /// The logarithm of how likely a command of these labels is.
    pub fn of(&self, labels: &BTreeSet<String>) -> f32 {
        let mut sum = self.nothing;
        let mut known = 0;
        for (label, (yes, no)) in self.model.classes.iter().zip(&self.logs) {
            if labels.contains(label) {
                sum += yes - no;
                known += 1;
            }
        }
        sum + RARE * (labels.len() - known) as f32
    }
}

/// The logarithm of the logistic function.
fn log_sigmoid(z: f32) -> f32 {
    if z > 0.0 { -(-z).exp().ln_1p() } else { z - z.exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recall::{self, index::Index};
    use crate::world::FixedWorld;

    #[test]
    fn the_wording_tells_commands_apart() {
        let world = FixedWorld::default();
        let mut told = 0;
        let mut likelier = |request: &str, right: &str, wrong: &str| {
            let pieces = recall::pieces(Index::shipped(), request, &world);
            let likely = Likely::new(shipped(), &pieces);
            let (r, w) = (likely.of(&labels::labels(right)), likely.of(&labels::labels(wrong)));
            println!("{request}: {r} for {right}, {w} for {wrong}");
            told += usize::from(r > w);
        };
        likelier("find all regular files with the extension txt", "find . -type f -name '*.txt'", "find . -type d -name '*.txt'");
        likelier("find all directories called src", "find . -type d -name src", "find . -type f -name src");
        likelier("count the lines of a.txt", "wc -l a.txt", "sort a.txt");
        likelier("print a.txt sorted in reverse", "sort -r a.txt", "sort a.txt");
        likelier("find files modified in the last 7 days", "find . -mtime -7", "find . -mtime +7");
        likelier("delete all .tmp files", "find . -name '*.tmp' -delete", "find . -name '*.tmp' -print0");
        // It is a guess: a rare wording may fool it.
        assert!(told >= 5, "{told} of 6");
    }
}
