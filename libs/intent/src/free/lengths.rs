//! How long lines are, and how many words they have.

use super::lines::Pipe;
use super::said::Said;

/// How long lines are.
pub(super) fn lengths(s: &Said<'_>, p: &mut Pipe) -> bool {
    let shortest = s.look("shortest").is_some();
    if s.any(&["longest|shortest line|word"]) {
        let op = if shortest { "<" } else { ">" };
        if s.r.has(&["word"]) && !s.r.has(&["line"]) {
            p.on_input("tr -s '[:space:]' '\\n'", "one word a line");
        }
        if s.any(&["length of", "how long is", "and its length", "its length", "number of characters in|of"]) {
            p.on_files(format!("awk 'NR == 1 || length {op} n {{ n = length }} END {{ print n }}'"), "the length of the longest");
        } else {
            p.on_files(format!("awk 'NR == 1 || length {op} n {{ n = length; l = $0 }} END {{ print l }}'"), if shortest { "the shortest" } else { "the longest" });
        }
        return true;
    }
    if s.any(&["length|lengths of|in each|every line|row", "length|lengths of lines", "number|count of characters|chars|letters in|of|on|per each|every line|row", "how long each|every line is", "how many characters each|every line has|is|contains"]) {
        s.each(&["in characters", "count|number"]);
        p.on_files("awk '{ print length }'", "the length of each line");
        return true;
    }
    if s.any(&["number|count of words|fields|columns in|of|on|per each|every line|row", "how many words|fields|columns each|every line has|contains", "how many words|fields|columns are|is|there|does|do? are|is? in|on each|every line|row of?", "how many words|fields|columns does|do each|every line|row have|contain|hold", "word count of|for|per each|every line", "number of words|fields per line"]) {
        s.each(&["count"]);
        p.on_files("awk '{ print NF }'", "the words of each line counted");
        return true;
    }
    false
}
