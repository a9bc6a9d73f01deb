//! What programs say, as plain and short words.

/// The tags that the Desktop Notifications Specification lets a body have, and those that programs use all the same.
const TAGS: [&str; 12] = ["a", "b", "big", "br", "em", "i", "img", "p", "s", "small", "strong", "u"];
/// Those that end a line.
const BREAKS: [&str; 2] = ["br", "p"];
/// No tag with its attributes is longer, bytes.
const LONGEST_TAG: usize = 4096;
/// No name or number of a character is longer, bytes: `&#x10ffff;`.
const LONGEST_ENTITY: usize = 10;

/// At most so many characters, without those that are no text; a longer one ends with an ellipsis.
pub fn short(text: &str, most: usize) -> String {
    let is_text = |letter: &char| *letter == '\n' || !letter.is_control();
    let mut out: String = text.chars().map(|it| if it == '\t' { ' ' } else { it }).filter(is_text).take(most.saturating_add(1)).collect();
    if let Some((end, _)) = out.char_indices().nth(most) {
        out.truncate(end);
        out.pop();
        out.push('…');
    }
    out.trim().to_owned()
}

/// One line of at most so many characters.
pub fn line(text: &str, most: usize) -> String {
    short(text, most).replace('\n', " ")
}

/// Words on a button or in a menu, without the mark of its key: `_` before a letter, two for one.
pub fn label(words: &str, most: usize) -> String {
    let mut out = String::with_capacity(words.len());
    let mut letters = words.chars();
    while let Some(letter) = letters.next() {
        if letter == '_' {
            out.extend(letters.next());
        } else {
            out.push(letter);
        }
    }
    line(&out, most)
}

/// A body without its markup. What is no markup, as in `1 < 2 & 3`, stays: who knows that we show none writes none.
pub fn plain(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let replaced = if rest.starts_with('<') { tag(rest) } else { entity(rest) };
        match replaced {
            Some((text, len)) => {
                out.push_str(&text);
                rest = &rest[len..];
            }
            None => {
                out.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// What stands for the tag at the beginning, and how long that is.
fn tag(text: &str) -> Option<(String, usize)> {
    let text = &text[..text.floor_char_boundary(LONGEST_TAG)];
    let inside = text.strip_prefix('<')?;
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let (name, mut rest) = split(inside, |byte| byte.is_ascii_alphanumeric());
    let name = name.to_ascii_lowercase();
    if !TAGS.contains(&name.as_str()) || !rest.starts_with(['>', '/', ' ', '\t', '\n', '\r']) {
        return None;
    }
    let mut alt = None;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            let instead = match name.as_str() {
                "img" => alt.map(plain_attribute).unwrap_or_default(),
                _ if BREAKS.contains(&name.as_str()) => "\n".to_owned(),
                _ => String::new(),
            };
            return Some((instead, text.len() - after.len()));
        }
        let (key, value, after) = attribute(rest)?;
        if key.eq_ignore_ascii_case("alt") {
            alt = value;
        }
        rest = after;
    }
}

/// The bytes at the beginning that are as asked for, and the rest.
fn split(text: &str, is_part: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().take_while(|byte| byte.is_ascii() && is_part(*byte)).count())
}

/// The attribute at the beginning: its name, its value, and the rest.
fn attribute(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (key, rest) = split(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'));
    let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else { return (!key.is_empty()).then_some((key, None, rest)) };
    if let Some(quote) = value.chars().next().filter(|it| matches!(it, '"' | '\'')) {
        let (value, rest) = value[1..].split_once(quote)?;
        return Some((key, Some(value), rest));
    }
    let (value, rest) = split(value, |byte| byte.is_ascii_graphic() && byte != b'>');
    (!key.is_empty() && !value.is_empty()).then_some((key, Some(value), rest))
}

/// A value with its entities replaced.
fn plain_attribute(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (text, len) = entity(rest).unwrap_or_else(|| ("&".into(), 1));
        out.push_str(&text);
        rest = &rest[len..];
    }
    out + rest
}

/// The character that the entity at the beginning stands for, and how long that is.
fn entity(text: &str) -> Option<(String, usize)> {
    let end = text.bytes().take(LONGEST_ENTITY + 1).position(|byte| byte == b';')?;
    let letter = match &text[1..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((letter.to_string(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_is_left_out() {
        for (body, wanted) in [
            ("<b>Bold</b> &amp; <a href=\"https://x/?a>b\">more</a>", "Bold & more"),
            ("<I>x</I><br/>y<p>z</p>", "x\ny\nz\n"),
            ("<img src='a.png' alt=\"A &lt;cat&gt;\"/>!", "A <cat>!"),
            ("<img src=\"xalt='no'\">!", "!"),
            ("&#65;&#x42;&#X43; &quot;&apos;", "ABC \"'"),
            // Once, not twice.
            ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ] {
            assert_eq!(plain(body), wanted, "{body}");
        }
    }

    #[test]
    fn what_is_no_markup_stays() {
        for body in ["1 < 2 & 3 > 2", "if a<b && b>c", "<bold>", "Vec<String>", "<b", "<a href=\"", "AT&T;", "&#xffffffff;", "&#;", "&", "<", "&é;", "<br…>"] {
            assert_eq!(plain(body), body);
        }
    }

    #[test]
    fn words_are_short() {
        assert_eq!(short("  a\tb\u{7}\u{1b}[1m \n c ", 20), "a b[1m \n c");
        assert_eq!(line("a\nb", 20), "a b");
        assert_eq!(short("12345", 5), "12345");
        assert_eq!(short("éééééé", 5), "éééé…");
        assert_eq!(short(&"x".repeat(1 << 22), 100).chars().count(), 100);
        assert_eq!(short("x", 0), "…");
    }

    proptest! {
        #[test]
        fn anything_may_come(body in "([<>&;#a-z/='\" é]|<b>|&amp;|<img alt=){0,40}", most in 0usize..30) {
            prop_assert!(plain(&body).len() <= body.len());
            prop_assert!(short(&body, most).chars().count() <= most.max(1));
        }
    }
}
