//! Sentences read word for word: families of meanings, what is quoted, and what a rest of unread words does to the confidence.

#[allow(dead_code)]
mod common;

use actions::risk::RiskContext;
use common::world;
use intent::{Context, Stages};

/// The first plan and its confidence, by the rules alone.
fn read(text: &str) -> Option<(String, f32)> {
    let stages = Stages { follow: false, windows: false, compose: false, intents: false, recall: false, ..Default::default() };
    let context = Context { risk: RiskContext { cwd: None, home: None, redefined: vec![] }, stages, ..Default::default() };
    let answer = intent::ask(text, &world(), &context);
    let first = answer.readings().first().map(|r| (r.plan.plan[0].action.text().into_owned(), r.plan.confidence));
    first
}

#[test]
fn parts_come_together() {
    let mut wrong = Vec::new();
    for (request, command) in [
        ("Count how many .py files under /usr/share mention foo", "find /usr/share -type f -name '*.py' -exec grep -qF -e foo {} \\; -print | wc -l"),
        ("Print the names of all .conf files under /etc without their directories, sorted", "find /etc -type f -name '*.conf' -printf '%f\\n' | sort"),
        ("Give the owner full rights on every .sh file in src and take all rights from everybody else", "find src -type f -name '*.sh' -exec chmod 700 {} +"),
        ("Find all txt files under docs larger than 10 MB and delete them", "find docs -type f -name '*.txt' -size +10M -delete"),
        ("Move every .jpeg from data into a new directory called pics", "mkdir -p pics && find data -type f -name '*.jpeg' -exec mv -n -t pics {} +"),
        ("Print the distinct values of the second column of data.csv in reverse order", "cut -d ',' -f 2 data.csv | sort -ru"),
        ("Print the last three lines of app.log that contain ERROR", "grep -F -e ERROR app.log | tail -n 3"),
        ("Write the number of lines in a.txt that do not contain foo to count.txt", "grep -v -F -e foo a.txt | wc -l > count.txt"),
        ("Delete lines 3 to 5 of notes.txt", "sed -i 3,5d notes.txt"),
        ("Print the lines that a.txt and b.txt have in common", "comm -12 <(sort -u a.txt) <(sort -u b.txt)"),
        ("Create a directory release with the subdirectories bin, etc and log", "mkdir -p release/bin release/etc release/log"),
        ("Print the even numbers between 2 and 10 in descending order", "seq 10 -2 2"),
        ("Print the current date in the form YYYY-MM-DD", "date +%Y-%m-%d"),
        ("Delete all .bak files below /var/log and print the number of lines in a.txt", "find /var/log -type f -name '*.bak' -delete && wc -l < a.txt"),
    ] {
        match read(request) {
            Some((c, p)) if c == command && p > 0.7 => {}
            got => wrong.push(format!("{request}\n    got  {got:?}\n    want {command}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is sought, where, which of it, and what is done with it, in the order in which it is said.
#[test]
fn files_are_sought_from_left_to_right() {
    let mut wrong = Vec::new();
    for (request, command) in [
        ("Find all .c files under src that were not modified in over 90 days", "find src -type f -name '*.c' -mtime +89"),
        ("Find directories named \"cache\" or \"tmp\" below /var, at most 3 levels deep", "find /var -mindepth 1 -maxdepth 3 -type d \\( -name 'cache' -o -name 'tmp' \\)"),
        ("Find files under docs that are not owned by alice and show them sorted by size", "find docs -type f ! -user alice -printf '%s\\t%p\\n' | sort -nr | cut -f 2-"),
        ("Remove all *~ files under dir", "find dir -type f -name '*~' -delete"),
        ("Count the directories directly inside /etc", "find /etc -mindepth 1 -maxdepth 1 -type d | wc -l"),
        ("Write the paths of all .md files below the current directory to list.md", "find . -type f ! -samefile list.md -name '*.md' > list.md"),
        ("Write the paths of all .md files below the current directory to list.txt", "find . -type f -name '*.md' > list.txt"),
        ("Count the files under docs per file extension", "find docs -type f -name '*.*' -printf '%f\\n' | sed 's/.*\\.//' | sort | uniq -c | sort -rn"),
        ("Give every .sh file in src execute permission", "find src -type f -name '*.sh' -exec chmod +x {} +"),
    ] {
        match read(request) {
            Some((c, p)) if c == command && p > 0.7 => {}
            got => wrong.push(format!("{request}\n    got  {got:?}\n    want {command}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One file or directory: it is emptied, and somebody may use it, or not.
#[test]
fn one_thing_is_changed_as_a_whole() {
    let mut wrong = Vec::new();
    for (request, command) in [
        ("Empty the folder docs", "find docs/ -mindepth 1 -delete"), ("Clear out the docs directory", "find docs/ -mindepth 1 -delete"), ("Delete everything in docs but keep the folder itself", "find docs/ -mindepth 1 -delete"), ("Empty the file notes.txt", "truncate -s 0 -- notes.txt"),
        ("Set the sticky bit on docs", "chmod +t docs"), ("Others must not be able to write notes.txt", "chmod o-w -- notes.txt"), ("Nobody else may read or write notes.txt", "chmod go-rw -- notes.txt"), ("Only the owner may read notes.txt", "chmod u+r,go-r -- notes.txt"),
        ("Which folders contain .py files?", "find . -type f -name '*.py' -printf '%h\\n' | sort -u"), ("Delete all object files (*.o) under src", "find src -type f -name '*.o' -delete"), ("Find files under docs with the permissions rw-r-----", "find docs -type f -perm 640"),
    ] {
        match read(request) {
            Some((c, p)) if c == command && p > 0.7 => {}
            got => wrong.push(format!("{request}\n    got  {got:?}\n    want {command}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not there is neither emptied nor replaced by something that is.
#[test]
fn what_is_not_there_is_asked_for() {
    for text in ["Empty the folder nosuchplace", "Empty the trash", "Copy the file nosuch.ini from docs into src", "Clear out nosuchplace"] {
        let answer = intent::ask(text, &world(), &Context::default());
        let command = answer.readings().first().filter(|r| r.plan.confidence >= 0.5).map(|r| r.plan.plan[0].action.text().into_owned());
        assert!(command.as_deref().is_none_or(|c| !c.contains("-delete") && !c.contains("-exec cp")), "{text}: {command:?}");
    }
}

/// What was not read lowers the confidence, and more of it more.
#[test]
fn unread_words_cost_confidence() {
    let sure = |text: &str| read(text).map_or(0.0, |r| r.1);
    let all = sure("Print the last three lines of app.log that contain ERROR");
    let one = sure("Print the last three lines of app.log that contain ERROR frobnicated");
    let many = sure("Print the last three lines of app.log that contain ERROR frobnicated beyond sensible recognition");
    assert!(all > 0.7 && one < 0.55 && many < one, "{all} {one} {many}");
}

/// A text is only ever a text, and a name only a name.
#[test]
fn values_stay_values() {
    for (request, part) in [
        ("Print the lines of app.log that contain \"$(rm -rf ~); `id`\"", "-e '$(rm -rf ~); `id`' app.log"),
        ("Replace \"a/b&c\" with \"d'e\" in notes.txt", "'s/a\\/b&c/d'\\''e/g' notes.txt"),
        ("Count the lines of notes.txt that contain \"-v\"", "grep -F -e -v notes.txt"),
        ("Find all files under docs whose name contains \"*\"", "-name '*\\**'"),
    ] {
        let (command, _) = read(request).unwrap_or_default();
        assert!(command.contains(part), "{request}\n    {command}");
        assert!(actions::shell::parse(&command).is_ok(), "{command}");
    }
}

/// No sentence of random words makes the rules panic, and each is read fast.
#[test]
fn any_words_are_survived() {
    let words: Vec<&str> = "print the lines of a.txt that contain 3 between and 5 \"x y\" sort by column 2 in reverse files under docs larger than 10 MB delete all every first last copy to into with without not numbered 7 letters é ü ( ) , . 'q"
        .split(' ').collect();
    let mut state = 88_172_645_463_325_252u64;
    let mut next = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let start = std::time::Instant::now();
    let n = 400;
    for _ in 0..n {
        let text: Vec<&str> = (0..=next(24)).map(|_| words[next(words.len())]).collect();
        let _ = read(&text.join(" "));
    }
    let each = start.elapsed() / n;
    println!("{each:?} a sentence");
    // The floor is wide, for the machine may be busy: what is measured alone is in docs/src/shell.md.
    assert!(each < std::time::Duration::from_millis(25), "{each:?} a sentence");
}
