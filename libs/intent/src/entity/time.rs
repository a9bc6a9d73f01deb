//! Times: ages and ranges, as tests for `find`.

use super::{Finder, Kind};

/// A test of a file's age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeTest {
    /// Within the last so many minutes.
    WithinMinutes(u64),
    /// Within the last so many days.
    WithinDays(u64),
    /// Longer ago than so many minutes.
    BeforeMinutes(u64),
    /// Longer ago than so many days.
    BeforeDays(u64),
    /// That calendar day: 0 is today, 1 yesterday.
    Day(u64),
    /// After a date in words that `find -newermt` reads.
    Since(String),
    /// Before such a date.
    Until(String),
}

/// Minutes in a unit.
fn unit(w: &str) -> Option<u64> {
    Some(match w.strip_suffix('s').filter(|w| w.len() > 1).unwrap_or(w) {
        "minute" | "min" => 1,
        "hour" | "hr" => 60,
        "day" => 1440,
        "week" | "wk" => 10080,
        "fortnight" => 20160,
        "month" => 43200,
        "year" | "yr" => 525_600,
        _ => return None,
    })
}

const WEEKDAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `3 days`, `a week`, `24h`: minutes, and how many tokens.
fn amount(f: &Finder<'_>, i: usize) -> Option<(u64, usize)> {
    let w = f.word(i)?;
    if let Some(u) = unit(w) {
        return Some((u, 1));
    }
    if let Ok(n) = w.parse::<u64>() {
        return Some((n.checked_mul(unit(f.word(i + 1)?)?)?, 2));
    }
    let digits = w.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    if digits > 0 {
        let u = match &w[digits..] {
            "h" | "hr" | "hrs" => 60,
            "d" => 1440,
            "min" | "mins" => 1,
            "w" => 10080,
            other => unit(other)?,
        };
        return Some((w[..digits].parse::<u64>().ok()?.checked_mul(u)?, 1));
    }
    match w {
        "a" | "an" | "one" => Some((f.word(i + 1).and_then(unit)?, 2)),
        "half" if f.is(i + 1, &["an", "a"]) => Some((f.word(i + 2).and_then(unit)? / 2, 3)),
        "couple" if f.is(i + 1, &["of"]) => Some((f.word(i + 2).and_then(unit)?.checked_mul(2)?, 3)),
        "few" | "several" => Some((f.word(i + 1).and_then(unit)?.checked_mul(3)?, 2)),
        _ => None,
    }
}

fn within(minutes: u64) -> TimeTest {
    if minutes % 1440 == 0 { TimeTest::WithinDays(minutes / 1440) } else { TimeTest::WithinMinutes(minutes) }
}

fn before(minutes: u64) -> TimeTest {
    if minutes % 1440 == 0 { TimeTest::BeforeDays(minutes / 1440) } else { TimeTest::BeforeMinutes(minutes) }
}

/// `2024-01-31`, or a year.
fn date(w: &str) -> Option<String> {
    let b = w.as_bytes();
    let iso = b.len() == 10 && b[4] == b'-' && b[7] == b'-' && w.bytes().enumerate().all(|(i, c)| if i == 4 || i == 7 { c == b'-' } else { c.is_ascii_digit() });
    let year = w.len() == 4 && w.bytes().all(|c| c.is_ascii_digit()) && (1970..2100).contains(&w.parse::<u32>().ok()?);
    if iso {
        Some(w.to_owned())
    } else if year {
        Some(format!("{w}-01-01"))
    } else {
        None
    }
}

pub(super) fn times(f: &mut Finder<'_>) {
    let mut i = 0;
    while i < f.tokens.len() {
        match at(f, i) {
            Some((test, end)) => {
                f.take(i, end, Kind::Time(test));
                i = end;
            }
            None => i += 1,
        }
    }
}

fn at(f: &Finder<'_>, i: usize) -> Option<(TimeTest, usize)> {
    // Single words and fixed phrases.
    for (phrase, test) in [
        (&["today"][..], TimeTest::Day(0)),
        (&["this", "morning"], TimeTest::Day(0)),
        (&["yesterday"], TimeTest::Day(1)),
        (&["since", "yesterday"], TimeTest::Since("yesterday".into())),
        (&["since", "midnight"], TimeTest::Day(0)),
        (&["this", "week"], TimeTest::WithinDays(7)),
        (&["this", "month"], TimeTest::WithinDays(30)),
        (&["this", "year"], TimeTest::WithinDays(365)),
        (&["this", "hour"], TimeTest::WithinMinutes(60)),
        (&["since", "last", "week"], TimeTest::WithinDays(7)),
        (&["since", "last", "month"], TimeTest::WithinDays(30)),
    ] {
        if f.phrase(i, phrase) {
            return Some((test, i + phrase.len()));
        }
    }
    if f.is(i, &["since", "after", "before", "until"]) {
        let k = i + 1 + usize::from(f.is(i + 1, &["the", "last"]));
        if let Some(d) = f.word(k).and_then(|w| date(w).or_else(|| WEEKDAYS.contains(&w).then(|| format!("last {w}")))) {
            let test = if f.is(i, &["since", "after"]) { TimeTest::Since(d) } else { TimeTest::Until(d) };
            return Some((test, k + 1));
        }
    }
    // "not modified in over 90 days", "for more than a week".
    if f.is(i, &["in", "for", "within"]) && f.is(i + 1, &["over", "more", "longer", "at"]) {
        let k = i + 2 + usize::from(f.is(i + 2, &["than", "least"]));
        if let Some((m, n)) = amount(f, k) && (f.is(i + 1, &["over"]) || k == i + 3) {
            return Some((before(m), k + n));
        }
    }
    // [in|within|over|during] [the] last|past 3 days; "last week" alone.
    let mut k = i;
    if f.is(k, &["in", "within", "over", "during", "from", "for", "inside"]) {
        k += 1;
    }
    let prep = k > i;
    if f.is(k, &["the", "these"]) {
        k += 1;
    }
    let last = f.is(k, &["last", "past", "previous", "recent", "latest"]);
    if last && let Some((m, n)) = amount(f, k + 1) {
        let singular = n == 1 && !f.word(k + 1).is_some_and(|w| w.ends_with('s'));
        let plural_without_number = n == 1 && !singular;
        if !plural_without_number {
            return Some((within(m), k + 1 + n));
        }
    }
    if prep && !last && let Some((m, n)) = amount(f, k) {
        let tail = f.is(k + n, &["ago"]);
        if n > 1 || f.is(i, &["within"]) {
            // "not modified in 30 days": the negation comes before the verb.
            return Some((within(m), k + n + usize::from(tail)));
        }
    }
    // older than 2 weeks; more than 30 days ago; over a year old; less than an hour ago; newer than 3 days.
    let mut k = i;
    let mut dir = None;
    if f.is(k, &["older", "more", "longer", "over", "earlier", "greater"]) {
        dir = Some(true);
        k += 1;
    } else if f.is(k, &["newer", "less", "younger", "under", "fewer", "later"]) {
        dir = Some(false);
        k += 1;
    } else if f.phrase(k, &["at", "least"]) {
        dir = Some(true);
        k += 2;
    } else if f.phrase(k, &["at", "most"]) {
        dir = Some(false);
        k += 2;
    }
    if f.is(k, &["than"]) {
        k += 1;
    }
    if let Some(old) = dir
        && let Some((m, n)) = amount(f, k)
        && (n > 1 || k > i + 1)
    {
        let mut end = k + n;
        let marked = f.is(end, &["ago", "old"]);
        end += usize::from(marked);
        // "over 3 hours" alone may be a duration of something else, but no other reading concerns us.
        return Some((if old { before(m) } else { within(m) }, end));
    }
    if let Some(old) = dir && f.is(k, &["yesterday"]) {
        return Some((if old { TimeTest::BeforeDays(1) } else { TimeTest::Since("yesterday".into()) }, k + 1));
    }
    // 3 days ago.
    if let Some((m, n)) = amount(f, i)
        && n > 1
        && f.is(i + n, &["ago"])
    {
        let test = if m % 1440 == 0 && m < 1440 * 28 { TimeTest::Day(m / 1440) } else { within(m) };
        return Some((test, i + n + 1));
    }
    None
}

impl TimeTest {
    /// The opposite, for "not modified in the last month".
    pub fn negate(&self) -> TimeTest {
        match self {
            TimeTest::WithinMinutes(m) => TimeTest::BeforeMinutes(*m),
            TimeTest::WithinDays(d) => TimeTest::BeforeDays(*d),
            TimeTest::BeforeMinutes(m) => TimeTest::WithinMinutes(*m),
            TimeTest::BeforeDays(d) => TimeTest::WithinDays(*d),
            TimeTest::Day(0) => TimeTest::BeforeDays(1),
            TimeTest::Day(d) => TimeTest::Day(*d),
            TimeTest::Since(s) => TimeTest::Until(s.clone()),
            TimeTest::Until(s) => TimeTest::Since(s.clone()),
        }
    }
}
