//! When files were touched: dates and spans of days, as `find -newermt` reads them.

use super::cursor::Cursor;
use crate::entity::Kind;
use crate::free::set::Set;
use crate::catalogue::filter::time_test;
use crate::entity::TimeTest;

const MONTHS: [&str; 12] = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

fn month(w: &str) -> Option<usize> {
    MONTHS.iter().position(|m| *m == w || w.len() == 3 && m.starts_with(w) || w == "sept" && *m == "september").map(|n| n + 1)
}

/// A day of a month: `5`, `5th`.
fn day(w: &str) -> Option<u64> {
    let digits = w.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let end = &w[digits.len()..];
    if !matches!(end, "" | "st" | "nd" | "rd" | "th") {
        return None;
    }
    digits.parse().ok().filter(|d| (1..=31).contains(d))
}

fn year(w: &str) -> Option<u64> {
    (w.len() == 4).then(|| w.parse().ok()).flatten().filter(|y| (1970..2100).contains(y))
}

/// A date at the cursor: its first moment, and the first one after it. Crossed off.
fn date(c: &mut Cursor<'_, '_>) -> Option<(String, String)> {
    c.articles();
    let at = |c: &Cursor<'_, '_>, k: usize| if c.s.free(c.i + k) { c.s.raw(c.i + k).to_lowercase() } else { String::new() };
    let w = at(c, 0);
    let plus_one = |d: &str| format!("{d} + 1 day");
    let iso = w.replace('/', "-");
    let parts: Vec<&str> = iso.split('-').collect();
    if let [y, m, d] = parts[..] && let (Some(_), Ok(1..=12), Some(_)) = (year(y), m.parse::<u64>(), day(d)) {
        c.cross();
        let clock = at(c, 0);
        if c.i < c.s.len() && clock.len() >= 5 && clock.split(':').count() >= 2 && clock.chars().all(|x| x.is_ascii_digit() || x == ':') {
            c.cross();
            let moment = format!("{iso} {clock}");
            return Some((moment.clone(), moment));
        }
        return Some((iso.clone(), plus_one(&iso)));
    }
    // "March 2007", "March 5, 2007", "5 March 2007".
    let (first, second, third) = (w.clone(), if c.i + 1 < c.s.len() { at(c, 1) } else { String::new() }, if c.i + 2 < c.s.len() { at(c, 2) } else { String::new() });
    let (m, d, y, used) = if let Some(m) = month(&first) {
        match (day(&second), year(&third), year(&second)) {
            (Some(d), Some(y), _) => (m, Some(d), Some(y), 3),
            (_, _, Some(y)) => (m, None, Some(y), 2),
            (Some(d), None, _) => (m, Some(d), None, 2),
            _ => return None,
        }
    } else if let (Some(d), Some(m)) = (day(&first), month(&second)) {
        match year(&third) {
            Some(y) => (m, Some(d), Some(y), 3),
            None => (m, Some(d), None, 2),
        }
    } else if let Some(y) = year(&first) {
        c.cross();
        return Some((format!("{y}-01-01"), format!("{}-01-01", y + 1)));
    } else {
        return None;
    };
    for _ in 0..used {
        c.cross();
    }
    Some(match (y, d) {
        (Some(y), Some(d)) => {
            let day = format!("{y}-{m:02}-{d:02}");
            (day.clone(), plus_one(&day))
        }
        (Some(y), None) => (format!("{y}-{m:02}-01"), if m == 12 { format!("{}-01-01", y + 1) } else { format!("{y}-{:02}-01", m + 1) }),
        (None, Some(d)) => {
            let day = format!("{} {d}", &MONTHS[m - 1][..3]);
            (day.clone(), plus_one(&day))
        }
        (None, None) => return None,
    })
}

/// An age, a date or another file that the age is compared with.
pub(super) fn age(c: &mut Cursor<'_, '_>, f: &mut Set) -> bool {
    // What the time is about.
    if c.eats("last|recently|were|was|been? created|accessed|status|modified or|and? modified|changed|accessed") && c.s.w[c.i - 1] == "changed" || c.eats("last|recently|were|was|been? modified|edited|updated|written|touched|changed|modification|modify last? times?|time|date|timestamp?") {
        c.verb = 'm';
    } else if c.eats("last? accessed|opened|read|used|access times?|time|date?") {
        c.verb = 'a';
    } else if c.eats("status|metadata|inode changed|change|modified|was|were? changed?") {
        c.verb = 'c';
    } else if c.eats("last? created|creation time|date?") {
        c.verb = 'm';
    }
    let letter = c.verb;
    let begin = (c.i, c.s.marks());
    let mut add = |c: &mut Cursor<'_, '_>, test: String, words: String| {
        super::noun::add(c, f, test, words);
        true
    };
    let verb = match letter {
        'a' => "accessed",
        'c' => "changed",
        _ => "modified",
    };
    // Between two ages: "more than 2 days but less than 5 days ago" is two entities, each by itself.
    if let Some(t) = c.entity_if(|k| if let Kind::Time(t) = k { Some(t.clone()) } else { None }) {
        // "modified 61 days ago": on that day, neither before nor since.
        let alone = c.s.w.get(c.i.saturating_sub(1)).is_some_and(|w| *w == "ago") && c.i >= 3 && c.s.number(c.i - 3).is_some() && !(4..7).any(|k| c.i >= k && matches!(c.s.w[c.i - k], "than" | "since" | "within" | "over" | "least" | "most" | "until" | "from" | "after" | "before" | "between" | "last" | "past"));
        if let (true, TimeTest::WithinDays(n)) | (true, TimeTest::WithinMinutes(n)) = (alone, &t) {
            let unit = if matches!(t, TimeTest::WithinDays(_)) { "time" } else { "min" };
            return add(c, format!("-{letter}{unit} {n}"), format!("{verb} {n} {} ago", if unit == "time" { "days" } else { "minutes" }));
        }
        let recent = matches!(t, TimeTest::WithinDays(_) | TimeTest::WithinMinutes(_) | TimeTest::Day(_) | TimeTest::Since(_));
        let t = if c.not && recent { t.negate() } else { t };
        c.not = false;
        let (test, words) = time_test(&t, letter, verb);
        c.one_of(&["ago|old|back", "or more|older|less|newer"]);
        return add(c, test, words);
    }
    // "Between 50 and 200 days ago".
    let span = "minutes|minute|hours|hour|days|day|weeks|week|months|month|years|year";
    if let Some(x) = c.eat(&format!("between|from # {span}? and|to # {span} ago|old|back|before?")) {
        let said = &c.s.w[x.start..x.end];
        let unit = |w: &str| match w.trim_end_matches('s') {
            "minute" => Some(1),
            "hour" => Some(60),
            "day" => Some(24 * 60),
            "week" => Some(7 * 24 * 60),
            "month" => Some(30 * 24 * 60),
            "year" => Some(365 * 24 * 60),
            _ => None,
        };
        let units: Vec<u64> = said.iter().filter_map(|w| unit(w)).collect();
        if let (Some(a), Some(b), Some(last)) = (c.s.number(x.at[0]), c.s.number(x.at[1]), units.last().copied()) {
            let first = if units.len() > 1 { units[0] } else { last };
            let (a, b) = (a * first, b * last);
            let (a, b) = (a.min(b), a.max(b));
            let days = a % 1440 == 0 && b % 1440 == 0;
            let (name, a, b) = if days { ("time", a / 1440, b / 1440) } else { ("min", a, b) };
            return add(c, format!("-{letter}{name} +{a} -{letter}{name} -{b}"), format!("{verb} between {a} and {b} {} ago", if days { "days" } else { "minutes" }));
        }
        c.s.restore(begin.1.clone());
        c.i = begin.0;
    }
    if c.eats("between") {
        c.eats("dates|date");
        if let Some((from, _)) = date(c) {
            c.eats("and|to|till|until");
            if let Some((_, end)) = date(c) {
                return add(c, format!("-newer{letter}t '{from}' ! -newer{letter}t '{end}'"), format!("{verb} from {from} on"));
            }
        }
        c.s.restore(begin.1.clone());
        c.i = begin.0;
    }
    if let Some(w) = c.eat("after|since|before|until|on|in|during|from") {
        let how = c.s.w[w.end - 1];
        if let Some((from, end)) = date(c) {
            let span = c.one_of(&["to|till|until|through"]).then(|| date(c)).flatten();
            return match (how, span) {
                (_, Some((_, last))) => add(c, format!("-newer{letter}t '{from}' ! -newer{letter}t '{last}'"), format!("{verb} from {from} on")),
                ("after" | "since", _) => add(c, format!("-newer{letter}t '{from}'"), format!("{verb} since {from}")),
                ("before" | "until", _) => add(c, format!("! -newer{letter}t '{from}'"), format!("{verb} before {from}")),
                _ => add(c, format!("-newer{letter}t '{from}' ! -newer{letter}t '{end}'"), format!("{verb} in the time of {from}")),
            };
        }
        c.s.restore(begin.1.clone());
        c.i = begin.0;
    }
    // Other files.
    let newer = c.one_of(&["newer|younger than", "more? recently than", "more recently modified|accessed|changed? than", "after modification|change|changing|modifying of?", "after|since"]);
    let older = !newer && c.one_of(&["older than", "earlier|before than?"]);
    if newer || older {
        c.eats("file");
        let begin_of_name = c.i;
        if let Some(name) = c.value().filter(|v| super::place::variable(v) || v.contains(['.', '/']) || c.s.quoted(begin_of_name) || c.s.world().exists(v).is_some()) {
            c.one_of(&["was|is|were|has|had been? last? modified|changed|updated", "file"]);
            // A moment in words, which is no file.
            if name.contains(' ') && name.contains(|c: char| c.is_ascii_digit()) && c.s.world().exists(&name).is_none() {
                return add(c, format!("{}-newer{letter}t {}", if older { "! " } else { "" }, super::super::set::always_quoted(&name)), format!("{verb} {} {name}", if older { "before" } else { "since" }));
            }
            let name_test = if letter == 'm' { "-newer".to_owned() } else { format!("-{letter}newer") };
            let file = if super::place::variable(&name) { format!("\"{name}\"") } else { actions::quote::quote_path(&name) };
            return add(c, format!("{}{name_test} {file}", if older { "! " } else { "" }), format!("{} than {name}", if older { "older" } else { "newer" }));
        }
        c.s.restore(begin.1.clone());
        c.i = begin.0;
    }
    false
}
