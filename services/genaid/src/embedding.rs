//! Vectors for texts without a model: hashed pieces of words. Texts of the same words are near, however they are ordered;
//! it knows no synonyms. For the cache, which must not be slower than the answer.

/// Length of a vector.
pub const SIZE: usize = 256;

fn hash(text: &str, seed: u64) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase)
}

/// A vector of length 1 (of zeros for a text without words).
pub fn of(text: &str) -> Vec<f32> {
    let mut v = vec![0.0f32; SIZE];
    let mut add = |piece: &str, weight: f32| {
        let h = hash(piece, 0);
        let sign = if h & (1 << 40) == 0 { 1.0 } else { -1.0 };
        v[(h % SIZE as u64) as usize] += sign * weight;
    };
    let mut last = String::new();
    for w in words(text) {
        add(&w, 1.0);
        add(&format!("{last} {w}"), 0.5);
        let padded: Vec<char> = format!("<{w}>").chars().collect();
        for three in padded.windows(3) {
            add(&three.iter().collect::<String>(), 0.4);
        }
        last = w;
    }
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        v.iter_mut().for_each(|x| *x /= length);
    }
    v
}

/// Cosine of two vectors of length 1.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// What must be equal in two texts that mean the same, however near they are: numbers, names in quotes or with signs in
/// them, and words that turn a meaning round.
pub fn decisive(text: &str) -> String {
    const TURNING: &[&str] = &["not", "no", "without", "except", "never", "none", "don", "doesn", "isn", "but", "only", "un", "before", "after", "more", "less", "first", "last", "on", "off", "enable", "disable", "start", "stop", "add", "remove"];
    let mut found: Vec<String> = Vec::new();
    for token in text.split_whitespace() {
        let plain = token.trim_matches(|c: char| !c.is_alphanumeric() && c != '/' && c != '~').to_lowercase();
        let lower = token.to_lowercase();
        let first = lower.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty()).unwrap_or("").to_owned();
        if plain.chars().any(|c| c.is_ascii_digit() || "/._-~=@".contains(c)) || token.contains(['"', '\'', '`']) || TURNING.contains(&first.as_str()) {
            found.push(plain);
        }
    }
    found.sort();
    found.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_what_has_the_same_words() {
        let near = |a: &str, b: &str| cosine(&of(a), &of(b));
        assert!(near("What is a pipe in the shell?", "what is a pipe in the shell") > 0.999);
        assert!(near("what is a pipe in the shell", "in the shell, what is a pipe") > 0.85);
        assert!(near("what is a pipe in the shell", "delete all my files now") < 0.3);
        assert_eq!(of("?!").iter().sum::<f32>(), 0.0);
    }

    #[test]
    fn what_decides_is_kept() {
        for (a, b) in [("delete 5 files", "delete 6 files"), ("show a.txt", "show b.txt"), ("lines with x", "lines not with x"), ("turn it on", "turn it off"), ("find \"a\"", "find \"b\""), ("look in /etc", "look in /usr")] {
            assert_ne!(decisive(a), decisive(b), "{a} / {b}");
        }
        assert_eq!(decisive("What is a pipe?"), decisive("what is a pipe"));
    }
}
