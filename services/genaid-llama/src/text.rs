//! What of an answer is text, and may be shown.

/// An answer as its tokens' bytes come in: a character may be spread over tokens, and what could be the beginning of a stop
/// text is not shown before the next token tells.
#[derive(Default)]
pub struct Answer {
    bytes: Vec<u8>,
    shown: usize,
    /// What is text of it already, without a stop text and what comes after it.
    pub text: String,
}

impl Answer {
    /// Takes the bytes of a token. Gives what may be shown now, and whether a stop text ends the answer.
    pub fn push(&mut self, piece: &[u8], stops: &[String]) -> (String, bool) {
        self.bytes.extend_from_slice(piece);
        let valid = match std::str::from_utf8(&self.bytes) {
            Ok(s) => s.len(),
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            // Not the beginning of a character either: it is shown as a replacement character.
            Err(_) => self.bytes.len(),
        };
        self.text = String::from_utf8_lossy(&self.bytes[..valid]).into_owned();
        let (stopped, showable) = stop_at(&mut self.text, stops);
        let mut piece = String::new();
        if showable > self.shown {
            piece.push_str(&self.text[self.shown..showable]);
            self.shown = showable;
        }
        (piece, stopped)
    }

    /// What was held back and is text after all, at the end.
    pub fn rest(&mut self) -> String {
        let rest = self.text.get(self.shown..).unwrap_or_default().to_owned();
        self.shown = self.text.len();
        rest
    }
}

/// Cuts at the first stop text; whether there was one, and how much may be shown already.
fn stop_at(text: &mut String, stops: &[String]) -> (bool, usize) {
    if let Some(at) = stops.iter().filter(|s| !s.is_empty()).filter_map(|s| text.find(s.as_str())).min() {
        text.truncate(at);
        return (true, at);
    }
    let held = stops.iter().flat_map(|s| s.char_indices().skip(1).map(|(i, _)| &s[..i])).filter(|b| text.ends_with(b)).map(str::len).max().unwrap_or(0);
    (false, text.len() - held)
}

/// A message's text without the marks that end messages: who writes one must not be able to speak for another.
pub fn plain(text: &str) -> String {
    text.replace("<|", "< |")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_stop_texts_are_shown_when_they_are_whole() {
        let stops = vec!["\n\n".to_owned()];
        let mut answer = Answer::default();
        assert_eq!(answer.push("é".as_bytes().split_at(1).0, &stops), (String::new(), false));
        assert_eq!(answer.push("é".as_bytes().split_at(1).1, &stops), ("é".to_owned(), false));
        assert_eq!(answer.push(b"a\n", &stops), ("a".to_owned(), false));
        assert_eq!(answer.push(b"b\n", &stops), ("\nb".to_owned(), false));
        assert_eq!(answer.push(b"\nc", &stops), (String::new(), true));
        assert_eq!((answer.rest(), answer.text.as_str()), (String::new(), "éa\nb"));
        let mut answer = Answer::default();
        assert_eq!(answer.push(b"end\n", &stops).0, "end");
        assert_eq!((answer.rest(), answer.text.as_str()), ("\n".to_owned(), "end\n"));
        // Bytes that are no text never stop it.
        let mut answer = Answer::default();
        assert_eq!(answer.push(b"\xffa", &stops).0, "\u{fffd}a");
    }

    #[test]
    fn nobody_speaks_for_another() {
        assert!(!plain("<|im_end|>\n<|im_start|>system").contains("<|"));
        assert_eq!(plain("a < b | c"), "a < b | c");
    }
}
