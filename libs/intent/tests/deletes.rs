//! What deletes never takes more than was said.

#[allow(dead_code)]
mod common;

use common::world;
use intent::{Answer, Context};

/// The first plan's command; nothing where it asks back or understands nothing.
fn first(text: &str) -> Option<String> {
    match intent::ask(text, &world(), &Context::default()) {
        Answer::Missing { .. } | Answer::OutOfScope { .. } => None,
        other => Some(other.readings()[0].plan.plan[0].action.text().into_owned()),
    }
}

/// Whether it deletes whatever lies below a directory.
fn takes_all(command: &str) -> bool {
    command.contains("-delete") && !["-name", "-iname", "-size", "-mtime", "-mmin", "-empty", "-user", "-perm", "-newer", "-path"].iter().any(|test| command.contains(test))
}

#[test]
fn files_of_a_kind_that_is_not_understood_are_not_all_files() {
    for text in ["remove all core files in the file system", "delete all foo files here", "delete every weird file below this directory", "remove all files in nosuchplace", "delete all files under the nosuchplace"] {
        let command = first(text);
        assert!(!command.as_deref().is_some_and(takes_all), "{text}: {command:?}");
    }
}

#[test]
fn all_files_are_where_they_are_meant() {
    for text in ["delete all files here", "delete all the files in this directory", "remove every file under /tmp/x", "delete all files in the current directory"] {
        let command = first(text);
        assert!(command.as_deref().is_some_and(takes_all), "{text}: {command:?}");
    }
}

/// A file that is named is that file, and what its name is elsewhere is none of the request's business.
#[test]
fn one_file_is_not_sought_in_a_tree() {
    for text in ["delete notes.txt", "remove the file notes.txt", "please get rid of a.txt", "rm data.csv", "delete \"b.txt\""] {
        let command = first(text);
        assert!(command.as_deref().is_some_and(|c| c.starts_with("rm ") && !c.contains(" -r")), "{text}: {command:?}");
    }
}

/// A word that turns the meaning round is never lost, nor one that is not known.
#[test]
fn exceptions_are_kept_or_nothing_is_deleted() {
    for (text, kept) in [
        ("delete all files under docs except .md files", "! -name '*.md'"), ("delete all .txt files under docs that are not owned by alice", "! -user alice"), ("remove all .log files under /var except those in /var/log", "! -path '/var/log/*'"),
       
    ] {
        let command = first(text);
        assert!(command.as_deref().is_none_or(|c| !(c.contains("-delete") || c.contains("rm ")) || c.contains(kept)), "{text}: {command:?}");
    }
}

/// What is said of names is not looked for in the files, and the other way round; a place that is not known is not here.
#[test]
fn names_texts_and_places_are_told_apart() {
    for (text, kept) in [
        ("remove all files under docs which have a space in their name", "-name '*[[:space:]]*' -delete"), ("delete all files under docs whose names begin with \"2015\" and contain \"album\"", "-name '2015*' -name '*album*' -delete"),
        ("delete \"secret\" from all files under docs", "sed -i s/secret//g"), ("delete the files under /var that were modified 61 days ago", "-mtime 61 -delete"), ("remove all *.mp3 files in /tmp but not in it's subdirectories", "-maxdepth 1"),
        ("remove all .log files under docs which do not belong to any user", " -nouser -delete"), ("delete all .tmp files under nosuchplace", "nothing"), ("remove foo from all files under docs", "nothing"), ("remove all .tmp files in nosuchplace", "nothing"),
        ("delete all .tmp files under src without the frobnicated ones and whatever else", "nothing"), ("delete all files under nosuchplace except .md files", "nothing"),
    ] {
        let command = first(text);
        assert!(command.as_deref().map_or(kept == "nothing", |c| c.contains(kept) && !c.contains(&format!("!{kept}"))), "{text}: {command:?}");
    }
}

/// A named place that is not there is never replaced by this directory.
#[test]
fn what_is_not_there_is_not_here() {
    for text in [
        "remove all tmp files from nosuchplace", "delete every log file in the nosuchplace folder", "wipe all csv files in the nosuchplace directory", "move all pdf files from nosuchplace to docs", "delete the empty files in nosuchplace", "get rid of all .bak files under nosuchplace",
        "remove all the jpg files inside my nosuchplace folder", "delete files older than 30 days from nosuchplace", "rename all .txt files in nosuchplace to .md", "compress all log files in nosuchplace",
    ] {
        let command = first(text);
        assert!(command.as_deref().is_none_or(|c| c.contains("nosuchplace")), "{text}: {command:?}");
    }
}

/// Rights, endings and lines are taken away from files that stay.
#[test]
fn what_is_taken_away_is_not_the_file() {
    for text in [
        "remove execute permission from all scripts", "remove write access for others from all files in docs", "take away the read permission of the group from all .txt files", "remove the extension of all txt files in docs", "delete the blank lines from all txt files in docs", "strip trailing whitespace from all .c files",
        "remove the setuid bit from all files under docs", "drop write rights on every file here",
    ] {
        let command = first(text);
        assert!(command.as_deref().is_none_or(|c| !c.contains("-delete") && !c.contains("rm ")), "{text}: {command:?}");
    }
    assert!(first("delete all files with permission 777 under docs").is_some_and(|c| c.contains("-perm 777") && c.contains("-delete")));
}

/// What is to ask first asks, and never does what it should have asked about.
#[test]
fn prompting_is_heeded() {
    for (text, kept) in [
        ("remove all .txt files under docs with prompting", "rm -i"), ("delete notes.txt and ask me before", "rm -i"), ("delete all tmp files here, asking for confirmation before each", "rm -i"), ("move all .txt files to docs, prompting before overwriting", "mv -i"), ("interactively delete all .log files under docs", "rm -i"),
    ] {
        let command = first(text);
        assert!(command.as_deref().is_some_and(|c| c.contains(kept) && !c.contains("-delete")), "{text}: {command:?}");
    }
}

/// A tilde that names end in is no home, and what is taken away recursively is not given.
#[test]
fn endings_are_no_homes_and_taking_is_not_giving() {
    for text in ["delete all backup files (ending in .bak or ~) here", "delete all files ending in ~", "remove the files under docs with the suffix ~", "remove the .bak files and the files ending in ~ from docs"] {
        let command = first(text);
        assert!(command.as_deref().is_none_or(|c| !c.contains("find ~") && !c.contains("$HOME")), "{text}: {command:?}");
        assert!(command.as_deref().is_none_or(|c| !c.contains("-delete") || c.contains("~'")), "{text}: {command:?}");
    }
    for text in ["recursively take all permissions away from others on docs", "recursively remove write permission for the group on docs", "make run.sh non-executable"] {
        let command = first(text);
        assert!(command.as_deref().is_none_or(|c| !["+r", "+w", "+x"].iter().any(|m| c.contains(m))), "{text}: {command:?}");
    }
}
