//! "With prompting", "and ask me before each": what changes files asks for each of them.
//!
//! The phrase is taken out of the request; the command of what is left is told to ask.

/// The request without the phrase. `None` where nothing of the kind is said.
pub(crate) fn without(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain: Vec<String> = words.iter().map(|w| w.trim_matches(|c: char| ",.;!".contains(c)).to_lowercase()).collect();
    let is = |i: usize, all: &str| plain.get(i).is_some_and(|w| all.split('|').any(|a| a == w));
    for start in 0..plain.len() {
        if start == 0 && plain[0] != "interactively" {
            continue;
        }
        let mut i = start;
        while is(i, "and|but|while|by|first|also|please") {
            i += 1;
        }
        let lead = i;
        // "ask" and "prompt" may stand alone, "with" needs what it is with.
        if is(i, "with|requiring|after|using|in") {
            i += 1;
            while is(i, "a|an|my|user|the|interactive|for") {
                i += 1;
            }
            let mode = is(i, "mode") && is(i - 1, "interactive");
            if !(is(i, "prompting|prompt|prompts|confirmation|confirmations|asking") || mode) {
                continue;
            }
            i += 1;
        } else if is(i, "interactively") {
            i += 1;
        } else if is(i, "ask|asking|prompt|prompting") && (lead > start || is(i + 1, "me|the|user|for|before|first|on|each|every|to")) || is(i, "confirm|confirming") && is(i + 1, "each|every|with|before") {
            i += 1;
        } else {
            continue;
        }
        while is(i, "me|the|user|for|a|confirmation|permission|us|my|to|confirm|first|yes|or|no|approval") {
            i += 1;
        }
        // "before each one", "for every file", "before deleting them".
        let (tail, about) = (i, is(i, "before|on|at|prior|each|every|for") || is(i - 1, "for"));
        while about && is(i, "before|for|on|at|prior|to|each|every|any|one|a|the|single|file|files|of|them|it|deletion|removal|deleting|removing|overwriting|moving|copying|item|entry|step|doing|so|actually|removed|is|being|deleted|match|overwrite|delete|remove|in|case") {
            i += 1;
        }
        // "With prompting every file in x": that is what is asked for.
        if i < plain.len() && is(tail, "each|every") {
            i = tail;
        }
        // In the middle of a sentence only what cannot be read otherwise.
        if i < plain.len() && !is(lead, "interactively|with") && !is(i, "and|in|from|under|below") {
            continue;
        }
        let mut rest: Vec<&str> = words[..start].to_vec();
        if let Some(last) = rest.last_mut() {
            *last = last.trim_end_matches(',');
        }
        rest.extend(&words[i..]);
        return Some(rest.join(" "));
    }
    None
}

/// The command, so that it asks before each file. `None` where it cannot.
pub(crate) fn asking(command: &str) -> Option<String> {
    // What reads names from a pipe has no answers to read.
    if command.contains("xargs") || command.contains("while ") || command.contains("bash -c") || command.contains(['"', '\'']) && command.contains(" -i") && command.contains("sed") {
        return None;
    }
    let command = if command.contains(" -type d") && command.contains(" -empty") {
        command.replace(" -print -delete", " -delete").replace(" -delete", " -depth -ok rmdir {} ';'")
    } else {
        command.replace(" -print -delete", " -delete").replace(" -delete", " -exec rm -- {} +")
    };
    let mut asks = command.contains(" -ok ");
    let mut words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    for i in 0..words.len() {
        let program = i == 0 || matches!(words[i - 1].as_str(), "-exec" | "&&" | "do" | ";" | "|");
        if !program || !matches!(words[i].as_str(), "rm" | "mv" | "cp") {
            continue;
        }
        asks = true;
        let options = words.get(i + 1).filter(|o| o.starts_with('-') && o.len() > 1 && !o.starts_with("--") && o[1..].bytes().all(|b| b.is_ascii_alphabetic()) && !o.contains('t')).cloned();
        match options {
            Some(o) => words[i + 1] = format!("{}i", o.replace(['n', 'f', 'i'], "")),
            None => words[i] = format!("{} -i", words[i]),
        }
    }
    asks.then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrase_is_taken_out() {
        for (text, rest) in [
            ("Remove all .txt files in text, with prompting before each", "Remove all .txt files in text"),
            ("delete the pdfs in reports and ask me before every one", "delete the pdfs in reports"),
            ("delete all tmp files with confirmation", "delete all tmp files"),
            ("interactively remove notes.txt", "remove notes.txt"),
            ("move a.txt to docs, asking before overwriting", "move a.txt to docs"),
            ("remove with prompting every file in x", "remove every file in x"),
            ("remove with prompting all logs under x", "remove all logs under x"),
        ] {
            assert_eq!(without(text).as_deref(), Some(rest), "{text}");
        }
        for text in ["delete all tmp files", "change the prompt to red", "what does the prompt mean", "find files with the word ask"] {
            assert_eq!(without(text), None, "{text}");
        }
    }

    #[test]
    fn commands_ask() {
        assert_eq!(asking("find . -type f -name '*.tmp' -print -delete").as_deref(), Some("find . -type f -name '*.tmp' -exec rm -i -- {} +"));
        assert_eq!(asking("rm -r -- docs").as_deref(), Some("rm -ri -- docs"));
        assert_eq!(asking("rm -- a.txt").as_deref(), Some("rm -i -- a.txt"));
        assert_eq!(asking("mv -n -- a b").as_deref(), Some("mv -i -- a b"));
        assert_eq!(asking("find x -name '*.c' -exec mv -n -t y {} +").as_deref(), Some("find x -name '*.c' -exec mv -i -t y {} +"));
        assert_eq!(asking("find . -type d -empty -delete").as_deref(), Some("find . -type d -empty -depth -ok rmdir {} ';'"));
        assert_eq!(asking("ls"), None);
    }
}
