//! Texts and names that a pattern matches, so that what a command seeks is there.

/// What a `*` of a name stands for, in turn.
const STEMS: [&str; 8] = ["alpha", "beta2", "Gamma", "data_1", "new item", "a", "report-old", "x9"];

/// The `k`-th name that a shell's pattern matches.
pub fn name(glob: &str, k: usize) -> String {
    let mut out = String::new();
    let chars: Vec<char> = glob.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '*' => {
                // Without a blank where the pattern has a path.
                let stem = STEMS[k % STEMS.len()];
                out.push_str(if glob.contains('/') && stem.contains(' ') { "item" } else { stem });
                while chars.get(i + 1) == Some(&'*') {
                    i += 1;
                }
            }
            '?' => out.push(char::from(b'p' + (k % 5) as u8)),
            '[' => match class(&chars[i..], k) {
                Some((c, length)) => {
                    out.push(c);
                    i += length - 1;
                }
                None => out.push('['),
            },
            '\\' => {
                i += 1;
                out.extend(chars.get(i));
            }
            c => out.push(c),
        }
        i += 1;
    }
    out
}

/// A character of a class `[...]`, and the length of the class.
fn class(chars: &[char], k: usize) -> Option<(char, usize)> {
    let mut i = 1;
    let not = matches!(chars.get(i), Some('!' | '^'));
    i += usize::from(not);
    let mut members: Vec<char> = Vec::new();
    let begin = i;
    loop {
        let c = *chars.get(i)?;
        if c == ']' && i > begin {
            break;
        }
        if c == '[' && chars.get(i + 1) == Some(&':') {
            let end = chars[i..].windows(2).position(|w| w == [':', ']'])? + i;
            let name: String = chars[i + 2..end].iter().collect();
            members.extend(match name.as_str() {
                "alpha" | "lower" | "alnum" => "abc",
                "upper" => "ABC",
                "digit" | "xdigit" => "123",
                "space" | "blank" => " ",
                "punct" => "!,",
                _ => "a",
            }.chars());
            i = end + 2;
            continue;
        }
        if let (Some('-'), Some(&to)) = (chars.get(i + 1), chars.get(i + 2))
            && to != ']'
        {
            members.extend((c..=to).take(60));
            i += 3;
            continue;
        }
        members.push(c);
        i += 1;
    }
    let c = if not { "kX7 _".chars().cycle().skip(k % 5).take(5).find(|c| !members.contains(c)) } else { members.get(k % members.len().max(1)).copied() };
    Some((c?, i + 1))
}

/// The `k`-th text that a regular expression matches, roughly: the first of alternatives, things repeated once or twice.
pub fn text(regex: &str, k: usize) -> String {
    let chars: Vec<char> = regex.chars().collect();
    let mut out = String::new();
    let mut last: String = String::new();
    let mut skip = 0;
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        if skip > 0 {
            // Other alternatives.
            match c {
                '\\' if matches!(chars.get(i + 1), Some('(' | ')')) => {
                    skip = if chars[i + 1] == '(' { skip + 1 } else { skip - 1 };
                    i += 1;
                }
                '\\' => i += 1,
                '(' => skip += 1,
                ')' => skip -= 1,
                _ => {}
            }
            i += 1;
            continue;
        }
        let mut piece = String::new();
        match c {
            '^' | '$' | '(' | ')' => {}
            '|' => skip = 1,
            '.' => piece.push(if matches!(chars.get(i + 1), Some('*' | '+')) { 'm' } else { 'k' }),
            '*' | '?' => {}
            '+' => {
                if k % 2 == 1 {
                    out.push_str(&last);
                }
            }
            '[' => match class(&chars[i..], k) {
                Some((c, length)) => {
                    piece.push(c);
                    i += length - 1;
                }
                None => piece.push('['),
            },
            '{' if chars.get(i + 1).is_some_and(char::is_ascii_digit) => {
                let end = chars[i..].iter().position(|c| *c == '}').map_or(chars.len() - 1, |n| n + i);
                let n: usize = chars[i + 1..end].iter().take_while(|c| c.is_ascii_digit()).collect::<String>().parse().unwrap_or(1);
                out.push_str(&last.repeat(n.clamp(1, 40) - 1));
                i = end;
            }
            '\\' => {
                i += 1;
                match chars.get(i) {
                    Some('(' | ')' | '+' | '?' | '<' | '>' | 'b' | 'B') => {}
                    Some('|') => skip = 1,
                    Some('d') => piece.push('4'),
                    Some('w') => piece.push('w'),
                    Some('s') => piece.push(' '),
                    Some('t') => piece.push('\t'),
                    Some('{') => {
                        let n: usize = chars[i + 1..].iter().take_while(|c| c.is_ascii_digit()).collect::<String>().parse().unwrap_or(1);
                        out.push_str(&last.repeat(n.clamp(1, 40) - 1));
                        i += chars[i..].iter().position(|c| *c == '}').unwrap_or(0);
                    }
                    Some(c) => piece.push(*c),
                    None => {}
                }
            }
            c => piece.push(c),
        }
        out.push_str(&piece);
        if !piece.is_empty() {
            last = piece;
        }
        i += 1;
    }
    out
}

#[test]
fn what_is_made_of_a_pattern_fits_it() {
    assert_eq!(name("*.t?t", 0), "alpha.tpt");
    assert_eq!(name("[!a-z]*", 1), "Xbeta2");
    assert_eq!(name("img[0-9].png", 2), "img2.png");
    assert_eq!(text("^a\\.b[0-9]\\{3\\}x*$", 0), "a.b000x");
    assert_eq!(text("\\(foo\\|bar\\) baz", 0), "foo baz");
    assert_eq!(text("(one|two)z.*", 0), "onezm");
}
