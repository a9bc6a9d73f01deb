//! From an analysed request to hashed features.

use crate::request::Request;
use crate::text::stem;

/// Number of hash buckets, a power of two.
pub const BUCKETS: u32 = 1 << 15;

/// FNV-1a, folded to a bucket.
fn bucket(parts: &[&str]) -> u32 {
    let mut h: u32 = 0x811c_9dc5;
    for p in parts {
        for b in p.bytes().chain([0x1f]) {
            h = (h ^ u32::from(b)).wrapping_mul(0x0100_0193);
        }
    }
    (h ^ (h >> 15)) & (BUCKETS - 1)
}

/// The features of a request: buckets, sorted, each once.
pub fn features(request: &Request<'_>) -> Vec<u32> {
    let mut out = features_of(&request.abstract_tokens());
    out.extend(request.unknown_stems().iter().map(|w| bucket(&["w", w])));
    out.sort_unstable();
    out.dedup();
    out
}

/// The features of tokens as [`Request::abstract_tokens`] gives them.
pub fn features_of(tokens: &[String]) -> Vec<u32> {
    let stems: Vec<String> = tokens.iter().map(|t| if t.starts_with('<') { t.clone() } else { stem(t) }).collect();
    let mut out = Vec::with_capacity(stems.len() * 12);
    for (i, s) in stems.iter().enumerate() {
        out.push(bucket(&["u", s]));
        if i + 1 < stems.len() {
            out.push(bucket(&["b", s, &stems[i + 1]]));
        }
        if i + 2 < stems.len() {
            // The word between left out.
            out.push(bucket(&["s", s, &stems[i + 2]]));
        }
        // Parts of words: unseen forms of seen words.
        if !s.starts_with('<') && s.len() >= 4 {
            let padded = format!("^{s}$");
            let b = padded.as_bytes();
            if padded.is_ascii() {
                for w in b.windows(4) {
                    out.push(bucket(&["c", std::str::from_utf8(w).unwrap_or("")]));
                }
            }
        }
    }
    // What it opens with says much: "how many", "which", "delete".
    let content: Vec<&String> = stems.iter().filter(|s| !is_function_word(s)).collect();
    if let Some(first) = stems.first() {
        out.push(bucket(&["first", first]));
    }
    // Pairs of content words wherever they stand: word order matters little.
    for (i, a) in content.iter().enumerate().take(8) {
        for b in content.iter().skip(i + 1).take(5) {
            let (x, y) = if a <= b { (a, b) } else { (b, a) };
            out.push(bucket(&["p", x, y]));
        }
    }
    out.push(bucket(&["bias"]));
    out.sort_unstable();
    out.dedup();
    out
}

fn is_function_word(s: &str) -> bool {
    matches!(
        s,
        "the" | "a" | "an" | "of" | "in" | "on" | "at" | "to" | "me" | "my" | "is" | "are" | "there" | "this" | "that" | "i" | "am" | "it" | "and" | "for" | "by" | "with" | "from" | "all" | "any" | "do" | "be" | "th" | "hav" | "have"
    )
}
