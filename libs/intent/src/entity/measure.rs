//! Sizes and numbers.

use super::{Finder, Kind};

/// A test of a file's size, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeTest {
    /// More than.
    Over(u64),
    /// Less than.
    Under(u64),
    /// Between, both included.
    Between(u64, u64),
    /// Just a size, without a comparison.
    Plain(u64),
}

/// Bytes of one `unit`, decimal prefixes read as binary, as file tools do.
fn unit(word: &str) -> Option<u64> {
    Some(match word {
        "b" | "byte" | "bytes" => 1,
        "k" | "kb" | "kib" | "kbyte" | "kbytes" | "kilobyte" | "kilobytes" | "kilo" | "kilos" => 1 << 10,
        "m" | "mb" | "mib" | "meg" | "megs" | "mbyte" | "mbytes" | "megabyte" | "megabytes" | "mega" => 1 << 20,
        "g" | "gb" | "gib" | "gig" | "gigs" | "gbyte" | "gbytes" | "gigabyte" | "gigabytes" | "giga" => 1 << 30,
        "t" | "tb" | "tib" | "terabyte" | "terabytes" => 1 << 40,
        _ => return None,
    })
}

/// `10MB`, or `10` `MB`, or `a gigabyte`: bytes, and how many tokens.
fn amount(f: &Finder<'_>, i: usize) -> Option<(u64, usize)> {
    let w = f.word(i)?;
    let digits = w.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(w.len());
    let w = w.trim_end_matches('+');
    if digits > 0 && digits < w.len() {
        let n: f64 = w[..digits].parse().ok()?;
        return Some(((n * unit(&w[digits..])? as f64) as u64, 1));
    }
    let scaled = |n: f64, u: u64| (n * u as f64) as u64;
    if digits == w.len() && digits > 0 {
        let n: f64 = w.parse().ok()?;
        return Some((scaled(n, unit(f.word(i + 1)?)?), 2));
    }
    if matches!(w, "a" | "one" | "1") {
        // "a hundred megabytes" came as "a 100 megabytes".
        if let Some(n) = f.word(i + 1).and_then(|n| n.parse::<f64>().ok()) {
            return Some((scaled(n, unit(f.word(i + 2)?)?), 3));
        }
        let u = f.word(i + 1)?;
        if u.len() > 1 {
            return Some((unit(u)?, 2));
        }
    }
    if w == "half" && f.is(i + 1, &["a"]) {
        return Some((unit(f.word(i + 2)?)? / 2, 3));
    }
    None
}

const OVER: &[&str] = &["bigger", "larger", "greater", "more", "over", "above", "exceed", "exceeds", "exceeding", "beyond", "heavier", ">", "past", "least", "minimum", "heavier", "fatter", "upwards"];
const UNDER: &[&str] = &["smaller", "less", "under", "below", "lighter", "tinier", "littler", "shorter", "<", "most", "maximum", "within"];

pub(super) fn sizes(f: &mut Finder<'_>) {
    let mut i = 0;
    while i < f.tokens.len() {
        let Some((mut bytes, mut n)) = amount(f, i) else {
            // "between 1 and 5 MB": the unit comes last.
            if f.is(i, &["between"])
                && let Some(lo) = f.word(i + 1).and_then(|w| w.parse::<u64>().ok())
                && f.is(i + 2, &["and"])
                && let Some((hi, n)) = amount(f, i + 3)
            {
                let number: u64 = f.word(i + 3).and_then(|w| w.trim_end_matches(|c: char| c.is_alphabetic()).parse().ok()).unwrap_or(1);
                let end = i + 3 + n;
                f.take(i, end, Kind::Size(SizeTest::Between(lo * (hi / number.max(1)), hi)));
                i = end;
                continue;
            }
            i += 1;
            continue;
        };
        let mut start = i;
        let mut test = SizeTest::Plain(bytes);
        // Words in front: [at] least, bigger than, more than or equal to, over.
        let mut k = i;
        while k > 0 && f.is(k - 1, &["than", "to", "or", "equal", "of", "in", "size", "about", "around", "roughly", "a", "the"]) && i - k < 5 {
            k -= 1;
        }
        if k > 0 && f.is(k - 1, OVER) {
            test = SizeTest::Over(bytes);
            start = k - 1;
        } else if k > 0 && f.is(k - 1, UNDER) {
            test = SizeTest::Under(bytes);
            start = k - 1;
        } else if k > 0 && f.is(k - 1, &["between"]) {
            if f.is(i + n, &["and"])
                && let Some((hi, m)) = amount(f, i + n + 1)
            {
                test = SizeTest::Between(bytes.min(hi), bytes.max(hi));
                bytes = hi;
                n += 1 + m;
                start = k - 1;
            }
        } else if f.is(i + n, &["or", "and"]) && f.is(i + n + 1, OVER) {
            test = SizeTest::Over(bytes);
            n += 2;
        } else if f.is(i + n, &["or", "and"]) && f.is(i + n + 1, UNDER) {
            test = SizeTest::Under(bytes);
            n += 2;
        } else if f.word(i).is_some_and(|w| w.ends_with('+')) {
            test = SizeTest::Over(bytes);
        }
        // "not bigger than" and "no more than" turn it round.
        if start > 0 && f.is(start - 1, &["not", "no"]) {
            test = match test {
                SizeTest::Over(b) => SizeTest::Under(b + 1),
                SizeTest::Under(b) => SizeTest::Over(b.saturating_sub(1)),
                t => t,
            };
            start -= 1;
        }
        // `at` of "at least".
        if start > 0 && f.is(start - 1, &["at"]) {
            start -= 1;
        }
        let _ = bytes;
        // A bare "10m" or "5 k" is not surely a size.
        let sure = !matches!(test, SizeTest::Plain(_)) || f.word(i + n - 1).is_some_and(|w| w.trim_start_matches(|c: char| c.is_ascii_digit()).len() > 1);
        if sure {
            f.take(start, i + n, Kind::Size(test));
        }
        i += n;
    }
}

pub(super) fn numbers(f: &mut Finder<'_>) {
    for i in 0..f.tokens.len() {
        if let Some(n) = f.word(i).and_then(|w| {
            let digits = w.strip_suffix("st").or(w.strip_suffix("nd")).or(w.strip_suffix("rd")).or(w.strip_suffix("th")).unwrap_or(w);
            let digits = digits.strip_prefix('#').unwrap_or(digits);
            digits.parse::<u64>().ok().or_else(|| ordinal(w))
        }) {
            f.take(i, i + 1, Kind::Num(n));
        }
    }
}

fn ordinal(w: &str) -> Option<u64> {
    Some(match w {
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        _ => return None,
    })
}
