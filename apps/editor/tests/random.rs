//! Any sequence of edits can be taken back, and done again.

use editor::buffer::{Buffer, Motion, Place};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Type(String),
    Break,
    Erase(Motion),
    Move(Motion, bool),
    Indent(bool),
    Go(usize, usize, bool),
    Everywhere(String, String),
    Undo,
    Redo,
}

fn motion() -> impl Strategy<Value = Motion> {
    use Motion::{End, First, Home, Last, Left, Lines, Right, WordLeft, WordRight};
    prop_oneof![Just(Left), Just(Right), Just(WordLeft), Just(WordRight), Just(Home), Just(End), Just(First), Just(Last), (-9isize..9).prop_map(Lines)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => "[a-c\t äé日\u{301}]{1,3}".prop_map(Step::Type),
        1 => "[ab\n]{0,6}".prop_map(Step::Type),
        1 => Just(Step::Break),
        2 => motion().prop_map(Step::Erase),
        3 => (motion(), any::<bool>()).prop_map(|(motion, selects)| Step::Move(motion, selects)),
        1 => any::<bool>().prop_map(Step::Indent),
        1 => (0usize..12, 0usize..20, any::<bool>()).prop_map(|(line, byte, selects)| Step::Go(line, byte, selects)),
        1 => ("[abä]{1,2}", "[ab\n]{0,3}").prop_map(|(words, text)| Step::Everywhere(words, text)),
        1 => Just(Step::Undo),
        1 => Just(Step::Redo),
    ]
}

fn apply(buffer: &mut Buffer, step: &Step) {
    match step {
        Step::Type(text) => buffer.type_text(text),
        Step::Break => buffer.break_line(),
        Step::Erase(motion) => buffer.erase(*motion),
        Step::Move(motion, selects) => buffer.step(*motion, *selects),
        Step::Indent(is_out) => buffer.indent("  ", *is_out),
        Step::Go(line, byte, selects) => buffer.go(Place { line: *line, byte: *byte }, *selects),
        Step::Everywhere(words, text) => {
            let all = editor::find::Query { words: words.clone(), is_exact: true }.all(buffer);
            let parts: Vec<_> = all.iter().map(|(from, to)| (*from, *to, text.as_str())).collect();
            if !parts.is_empty() {
                let expected = buffer.text().replace(words, text);
                buffer.change(&parts);
                assert_eq!(buffer.text(), expected);
            }
        }
        Step::Undo => buffer.undo(),
        Step::Redo => buffer.redo(),
    }
}

proptest! {
    #[test]
    fn edits_are_taken_back(start in "[ab \n]{0,30}", steps in prop::collection::vec(step(), 0..60)) {
        let mut buffer = Buffer::new(&start);
        for step in &steps {
            apply(&mut buffer, step);
            let cursor = buffer.cursor();
            prop_assert_eq!(buffer.clamp(cursor), cursor, "the cursor is in the text");
            if !buffer.is_changed() {
                prop_assert_eq!(buffer.text(), start.clone(), "what is not changed is as it was");
            }
        }
        let end = buffer.text();
        let mut count = 0;
        while buffer.can().0 {
            buffer.undo();
            count += 1;
        }
        prop_assert_eq!(buffer.text(), start);
        prop_assert!(!buffer.is_changed() || steps.iter().any(|it| matches!(it, Step::Undo)));
        (0..count).for_each(|_| buffer.redo());
        prop_assert_eq!(buffer.text(), end);
    }
}
