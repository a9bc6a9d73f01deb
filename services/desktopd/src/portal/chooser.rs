//! `org.freedesktop.portal.FileChooser`: the user chooses files in a window of Files.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use zbus::fdo;
use zbus::message::Header;
use zbus::zvariant::{DeserializeDict, OwnedObjectPath, Type, Value};

use super::request::Outcome;
use super::{Helpers, Requests};
use crate::text;

/// Characters at most of a title, of the words on a button, of a filter's name.
const TITLE: usize = 120;
const LABEL: usize = 40;
/// Filters, patterns of one, other choices and files at most.
const FILTERS: usize = 64;
const PATTERNS: usize = 256;
const CHOICES: usize = 32;
const FILES: usize = 1024;
/// Bytes of a pattern, and of a window's handle.
const PATTERN: usize = 128;
const HANDLE: usize = 256;

/// Kinds of files as programs name them: for people, then each with 0 and a pattern of names, or 1 and a kind of MIME.
type Filter = (String, Vec<(u32, String)>);
/// Something else to be chosen: its name for programs, its label, what can be chosen, and what is proposed.
type Choice = (String, String, Vec<(String, String)>, String);

/// What a program wishes besides.
#[derive(Debug, Default, DeserializeDict, Type)]
#[zvariant(signature = "dict")]
struct Wishes {
    handle_token: Option<String>,
    accept_label: Option<String>,
    multiple: Option<bool>,
    directory: Option<bool>,
    filters: Option<Vec<Filter>>,
    current_filter: Option<Filter>,
    choices: Option<Vec<Choice>>,
    current_name: Option<String>,
    current_folder: Option<Vec<u8>>,
    current_file: Option<Vec<u8>>,
    files: Option<Vec<Vec<u8>>>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Open,
    Save,
    /// A folder for several files.
    SaveAll,
}

/// Asks the user for files.
pub struct FileChooser {
    requests: Requests,
    helpers: Helpers,
}

impl FileChooser {
    /// Its windows are helpers.
    pub fn new(requests: Requests, helpers: Helpers) -> Self {
        FileChooser { requests, helpers }
    }

    async fn ask(&self, header: &Header<'_>, question: Question, parent: &str, title: &str, mut wishes: Wishes) -> fdo::Result<OwnedObjectPath> {
        let filters = filters(&mut wishes);
        let arguments = arguments(question, parent, title, &wishes, &filters);
        let (helpers, token) = (self.helpers.clone(), wishes.handle_token.take());
        let work = async move {
            let chooser = helpers.chooser.clone();
            match helpers.run(&chooser, arguments).await {
                Ok((said, status)) if status.success() => outcome(question, &said, &wishes, &filters),
                Ok((_, status)) if status.code() == Some(1) => Outcome::Cancelled,
                Ok((_, status)) => {
                    tracing::warn!("choosing files: {} ends with {status}", chooser.display());
                    Outcome::Failed
                }
                Err(error) => {
                    tracing::warn!("choosing files: {error:#}");
                    Outcome::Failed
                }
            }
        };
        self.requests.begin(header, token.as_deref(), work).await
    }
}

#[zbus::interface(name = "org.freedesktop.portal.FileChooser")]
impl FileChooser {
    /// Files or folders that are there.
    #[zbus(out_args("handle"))]
    async fn open_file(&self, #[zbus(header)] header: Header<'_>, parent_window: &str, title: &str, options: Wishes) -> fdo::Result<OwnedObjectPath> {
        self.ask(&header, Question::Open, parent_window, title, options).await
    }

    /// A name for a file.
    #[zbus(out_args("handle"))]
    async fn save_file(&self, #[zbus(header)] header: Header<'_>, parent_window: &str, title: &str, options: Wishes) -> fdo::Result<OwnedObjectPath> {
        self.ask(&header, Question::Save, parent_window, title, options).await
    }

    /// A folder for several files that have names.
    #[zbus(out_args("handle"))]
    async fn save_files(&self, #[zbus(header)] header: Header<'_>, parent_window: &str, title: &str, options: Wishes) -> fdo::Result<OwnedObjectPath> {
        let files = options.files.as_deref().unwrap_or_default();
        if files.is_empty() || files.len() > FILES || !files.iter().all(|it| is_name(bytes(it))) {
            return Err(fdo::Error::InvalidArgs(format!("files are 1 to {FILES} names without folders")));
        }
        self.ask(&header, Question::SaveAll, parent_window, title, options).await
    }

    /// The version of the interface.
    #[zbus(property(emits_changed_signal = "const"), name = "version")]
    fn version(&self) -> u32 {
        4
    }
}

/// A text of C's, which ends with a zero.
fn bytes(text: &[u8]) -> &OsStr {
    OsStr::from_bytes(text.split(|it| *it == 0).next().unwrap_or_default())
}

fn is_name(name: &OsStr) -> bool {
    Path::new(name).components().eq([std::path::Component::Normal(name)]) && name.len() <= 255
}

/// Those that files may be of, and the number of the one that holds at first. One that is not among the others is the only one.
fn filters(wishes: &mut Wishes) -> (Vec<Filter>, usize) {
    let mut all = wishes.filters.take().unwrap_or_default();
    all.truncate(FILTERS);
    let number = match wishes.current_filter.take() {
        Some(it) if all.is_empty() => {
            all.push(it);
            0
        }
        Some(it) => all.iter().position(|other| *other == it).unwrap_or(0),
        None => 0,
    };
    (all, number)
}

/// Where the window begins: the folder of the file that is there, or the folder that the program names.
fn folder(wishes: &Wishes) -> Option<PathBuf> {
    let file = wishes.current_file.as_deref().map(|it| Path::new(bytes(it))).and_then(Path::parent);
    let folder = wishes.current_folder.as_deref().map(|it| Path::new(bytes(it)));
    [file, folder].into_iter().flatten().find(|it| it.is_absolute() && it.is_dir()).map(Path::to_owned)
}

/// How Files is started.
fn arguments(question: Question, parent: &str, title: &str, wishes: &Wishes, (filters, number): &(Vec<Filter>, usize)) -> Vec<OsString> {
    let is_folder = wishes.directory == Some(true) || question == Question::SaveAll;
    let what = match question {
        Question::Save => "save",
        _ if is_folder => "folders",
        _ => "files",
    };
    let mut all: Vec<OsString> = vec![format!("--choose={what}").into()];
    if question == Question::Open && wishes.multiple == Some(true) {
        all.push("--many".into());
    }
    // Values follow on their option, so that none is taken for an option itself.
    let title = text::line(title, TITLE);
    if !title.is_empty() {
        all.push(format!("--title={title}").into());
    }
    let accept = wishes.accept_label.as_deref().map(|it| text::label(it, LABEL)).filter(|it| !it.is_empty());
    if let Some(accept) = accept.or_else(|| (question == Question::SaveAll).then(|| "Save here".to_owned())) {
        all.push(format!("--accept={accept}").into());
    }
    if question == Question::Save {
        let of_file = wishes.current_file.as_deref().and_then(|it| Path::new(bytes(it)).file_name()).map(|it| it.to_string_lossy().into_owned());
        let name = wishes.current_name.clone().or(of_file).map(|it| text::line(&it, 255)).unwrap_or_default();
        all.push(format!("--name={name}").into());
    }
    for (name, patterns) in filters.iter().filter(|_| !is_folder) {
        let patterns = patterns.iter().map(|it| it.1.as_str()).filter(|it| it.len() <= PATTERN && !it.contains(['\n', '\0'])).take(PATTERNS);
        let lines: Vec<&str> = patterns.collect();
        all.push(format!("--filter={}\n{}", text::line(name, LABEL), lines.join("\n")).into());
    }
    if *number > 0 && !is_folder {
        all.push(format!("--filter-number={number}").into());
    }
    let is_handle = |it: &&str| !it.is_empty() && it.len() <= HANDLE && !it.contains(char::is_control);
    if let Some(handle) = parent.strip_prefix("wayland:").filter(is_handle) {
        all.push(format!("--parent={handle}").into());
    }
    all.extend(folder(wishes).map(|it| [OsString::from("--"), it.into()]).into_iter().flatten());
    all
}

/// What the program is told.
fn outcome(question: Question, said: &[u8], wishes: &Wishes, (filters, _): &(Vec<Filter>, usize)) -> Outcome {
    let is_folder = wishes.directory == Some(true) || question == Question::SaveAll;
    let mut parts: Vec<&[u8]> = said.split(|it| *it == 0).filter(|it| !it.is_empty()).collect();
    let filter = (!filters.is_empty() && !is_folder && !parts.is_empty()).then(|| parts.remove(0));
    let filter = filter.and_then(|it| filters.get(std::str::from_utf8(it).ok()?.parse::<usize>().ok()?));
    let mut paths: Vec<PathBuf> = parts.into_iter().map(|it| PathBuf::from(OsString::from_vec(it.to_vec()))).filter(|it| it.is_absolute()).collect();
    if let (Question::SaveAll, Some(folder)) = (question, paths.first().cloned()) {
        paths = wishes.files.iter().flatten().map(|it| unused(&folder, bytes(it))).collect();
    }
    if paths.is_empty() {
        return Outcome::Failed;
    }
    let uris: Vec<String> = paths.iter().map(|it| desktop_entries::uri(it)).collect();
    let mut results: HashMap<&'static str, Value<'static>> = [("uris", uris.into())].into();
    if let Some(filter) = filter {
        results.insert("current_filter", filter.clone().into());
    }
    if question == Question::Open {
        results.insert("writable", true.into());
    }
    if let Some(choices) = &wishes.choices {
        // As the program proposes: the window has no room for them.
        let taken = |(id, _, all, proposed): &Choice| {
            let first = || all.first().map_or_else(|| "false".to_owned(), |it| it.0.clone());
            (id.clone(), if proposed.is_empty() { first() } else { proposed.clone() })
        };
        results.insert("choices", choices.iter().take(CHOICES).map(taken).collect::<Vec<_>>().into());
    }
    Outcome::Done(results)
}

/// The name in the folder, or with a number where it is taken: nobody was asked whether it may be written over.
fn unused(folder: &Path, name: &OsStr) -> PathBuf {
    let path = folder.join(name);
    let (stem, ending) = (path.file_stem().unwrap_or(name).to_owned(), path.extension().map(OsStr::to_owned));
    let numbered = (2..10_000).map(|number| {
        let mut name = stem.clone();
        name.push(format!(" ({number})"));
        if let Some(ending) = &ending {
            name.push(".");
            name.push(ending);
        }
        folder.join(name)
    });
    std::iter::once(path.clone()).chain(numbered).find(|it| it.symlink_metadata().is_err()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_becomes_arguments() {
        let filter = |name: &str, pattern: &str| (name.to_owned(), vec![(0, pattern.to_owned()), (1, "image/*".to_owned())]);
        let mut wishes = Wishes {
            accept_label: Some("_Take it__all".into()),
            multiple: Some(true),
            filters: Some(vec![filter("All\nof them", "*"), filter("--trash", "*.x\ny")]),
            current_filter: Some(filter("--trash", "*.x\ny")),
            current_folder: Some(b"/tmp\0".to_vec()),
            ..Wishes::default()
        };
        let all = filters(&mut wishes);
        let said = arguments(Question::Open, "wayland:abc", "--help\n", &wishes, &all);
        let wanted = ["--choose=files", "--many", "--title=--help", "--accept=Take it_all", "--filter=All of them\n*\nimage/*", "--filter=--trash\nimage/*", "--filter-number=1", "--parent=abc", "--", "/tmp"];
        assert_eq!(said, wanted);
        let save = Wishes { current_file: Some(b"/tmp/a b.txt\0".to_vec()), current_folder: Some(b"relative".to_vec()), ..Wishes::default() };
        assert_eq!(arguments(Question::Save, "x11:5", "", &save, &Default::default()), ["--choose=save", "--name=a b.txt", "--", "/tmp"]);
    }

    #[test]
    fn names_are_names() {
        assert!(is_name(OsStr::new("a.txt")) && is_name(OsStr::new("...")));
        for bad in ["", ".", "..", "a/b", "/a", "a/"] {
            assert!(!is_name(OsStr::new(bad)), "{bad}");
        }
    }

    #[test]
    fn several_files_write_over_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "").unwrap();
        std::fs::write(folder.path().join("a (2).txt"), "").unwrap();
        let name = |it: &str| unused(folder.path(), OsStr::new(it)).file_name().unwrap().to_owned();
        assert_eq!((name("a.txt"), name("b")), ("a (3).txt".into(), "b".into()));
    }
}
