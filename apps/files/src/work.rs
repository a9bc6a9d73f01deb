//! Work beside the window.

use desktop_entries::{mime, opens};
use file_operations::entry::{self, Entry};
use file_operations::preview;
use file_operations::transfer::{self, Collision, Observer, Progress, Way};
use file_operations::trash::{self, Item, Trash};
use file_operations::undo::{self, Done};
use file_operations::{Error, archive, search as names};
use genai_ui::futures::futures::channel::mpsc::Sender;
use genai_ui::{Task, job};
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Message;
use crate::message::{Doomed, Listing, Seen};
use crate::places::Place;

/// Between two messages about how far work is.
const PAUSE: Duration = Duration::from_millis(60);
/// More names than anybody reads.
const MOST_FOUND: usize = 2000;
/// Terminals, the first of which that is there is taken.
const TERMINALS: [&str; 3] = ["terminal", "foot", "xterm"];

/// `1 item`, `7 items`.
pub fn items(count: usize) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}

/// Reads what is in a place.
pub fn list(asked: u64, place: Place) -> Task<Message> {
    job::start(move |_| {
        let listing = match place {
            Place::Folder(folder) => {
                Listing { entries: entry::list(&folder).map_err(|error| error.to_string()), items: Vec::new(), free: entry::free(&folder) }
            }
            Place::Trash => {
                let (mut items, mut error) = (Vec::new(), None);
                for trash in Trash::all() {
                    match trash.items() {
                        Ok(more) => items.extend(more),
                        Err(wrong) => error = Some(wrong.to_string()),
                    }
                }
                // The last one thrown away comes first.
                items.sort_by(|a, b| b.deleted.cmp(&a.deleted));
                let entry = |item: &Item| {
                    let mut entry = Entry::of(&item.path()).ok()?;
                    entry.name = item.origin.file_name()?.to_string_lossy().into_owned();
                    Some(entry)
                };
                let entries = items.iter().filter_map(entry).collect();
                Listing { entries: error.filter(|_| items.is_empty()).map_or(Ok(entries), Err), items, free: None }
            }
        };
        Message::Listed(asked, Arc::new(listing))
    })
}

/// Looks for names below a folder.
pub fn search(asked: u64, folder: PathBuf, words: String, stopped: Arc<AtomicBool>) -> Task<Message> {
    job::start(move |mut told: Sender<Message>| {
        let (mut found, mut count, mut last) = (Vec::new(), 0, Instant::now());
        names::search(&folder, &words, &mut |entry| {
            found.push(entry);
            count += 1;
            if last.elapsed() > PAUSE {
                last = Instant::now();
                match told.try_send(Message::Found(asked, std::mem::take(&mut found))) {
                    Err(error) if error.is_full() => {
                        // What was not heard comes with the next.
                        if let Message::Found(_, again) = error.into_inner() {
                            found = again;
                        }
                    }
                    _ => {}
                }
            }
            if stopped.load(Ordering::Relaxed) || count >= MOST_FOUND { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // The last ones must not be lost where nobody has listened for a while.
        while let Err(error) = told.try_send(Message::Found(asked, std::mem::take(&mut found))) {
            if !error.is_full() {
                break;
            }
            if let Message::Found(_, again) = error.into_inner() {
                found = again;
            }
            std::thread::sleep(PAUSE);
        }
        Message::FoundAll(asked)
    })
}

/// Looks into a file.
pub fn look(path: PathBuf) -> Task<Message> {
    job::start(move |_| {
        let (preview, mime) = (preview::of(&path), mime::of(&path));
        Message::Looked(Seen { path, preview, mime })
    })
}

struct Teller {
    told: Sender<Message>,
    cancelled: Arc<AtomicBool>,
    last: Option<Instant>,
}

impl Teller {
    fn new(told: Sender<Message>, cancelled: Arc<AtomicBool>) -> Self {
        Teller { told, cancelled, last: None }
    }
}

impl Observer for Teller {
    fn progress(&mut self, progress: &Progress) {
        if self.last.is_none_or(|last| last.elapsed() > PAUSE) {
            self.last = Some(Instant::now());
            // Where the window is slow it hears of a later state.
            let _ = self.told.try_send(Message::Progress(progress.clone()));
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

fn did(what: &str, (done, outcome): (Vec<Done>, Result<(), Error>)) -> Message {
    Message::Did(Arc::new((what.to_owned(), done, outcome.map_err(|error| error.to_string()))))
}

/// Copies or moves.
pub fn transfer(sources: Vec<PathBuf>, folder: PathBuf, way: Way, collision: Collision, cancelled: Arc<AtomicBool>) -> Task<Message> {
    job::start(move |told| {
        let outcome = transfer::transfer(&sources, &folder, way, collision, &mut Teller::new(told, cancelled));
        did(if way == Way::Copy { "Copied" } else { "Moved" }, outcome)
    })
}

/// Whether a double click unpacks it. Documents that are zip archives inside are none.
pub fn is_archive(path: &Path) -> bool {
    const KINDS: [&str; 6] =
        ["application/zip", "application/x-tar", "application/x-compressed-tar", "application/x-zstd-compressed-tar", "application/gzip", "application/zstd"];
    mime::by_name(path).is_some_and(|it| KINDS.contains(&it)) && path.is_file()
}

/// Unpacks an archive.
pub fn extract(path: PathBuf, folder: PathBuf, cancelled: Arc<AtomicBool>) -> Task<Message> {
    job::start(move |told| {
        let outcome = archive::extract(&path, &folder, &mut Teller::new(told, cancelled));
        let (done, outcome) = outcome.map_or_else(|error| (Vec::new(), Err(error)), |done| (vec![done], Ok(())));
        did("Unpacked", (done, outcome))
    })
}

/// Throws away.
pub fn throw(paths: Vec<PathBuf>) -> Task<Message> {
    job::start(move |_| did("Moved to the trash", trash::throw(&paths)))
}

/// Brings back from the trash.
pub fn restore(items: Vec<Item>) -> Task<Message> {
    job::start(move |_| {
        let mut done = Vec::new();
        let outcome = items.iter().try_for_each(|item| {
            done.push(Done::Copied { to: item.restore()? });
            Ok(())
        });
        did("Restored", (done, outcome))
    })
}

/// Takes away for ever.
pub fn delete(doomed: Doomed, cancelled: Arc<AtomicBool>) -> Task<Message> {
    job::start(move |told| {
        let mut teller = Teller::new(told, cancelled);
        let mut progress = Progress { all_things: doomed.len() as u64, ..Progress::default() };
        let mut one = |name: &Path, delete: &dyn Fn() -> Result<(), Error>| {
            if teller.is_cancelled() {
                return Err(Error::Cancelled);
            }
            progress.name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
            teller.progress(&progress);
            progress.things += 1;
            delete()
        };
        let outcome = match &doomed {
            Doomed::Items(items) => items.iter().try_for_each(|it| one(&it.origin, &|| it.destroy())),
            Doomed::Paths(paths) => paths.iter().try_for_each(|it| one(it, &|| transfer::delete(it))),
        };
        did("Deleted", (Vec::new(), outcome))
    })
}

/// Takes changes back.
pub fn undo(changes: Vec<Done>) -> Task<Message> {
    job::start(move |_| {
        let (left, outcome) = undo::undo(changes);
        Message::Undid(Arc::new((left, outcome.map_err(|error| error.to_string()))))
    })
}

/// The files that a text from the clipboard names, a path or a `file:` address a line; none where it names anything else.
pub fn paths(text: &str) -> Vec<PathBuf> {
    let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    let path = |line: &str| {
        let path = match line.strip_prefix("file://") {
            Some(address) => trash::decode(address)?.into(),
            None => PathBuf::from(line),
        };
        (path.is_absolute() && path.symlink_metadata().is_ok()).then_some(path)
    };
    lines.map(path).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Opens a file with the program that is chosen for its kind, or the first that says it can; texts with the editor in a terminal where there is
/// none. A message says where that fails.
pub fn open(path: PathBuf) -> Task<Message> {
    job::start(move |_| {
        let name = path.file_name().unwrap_or_default().display().to_string();
        let terminal = TERMINALS.into_iter().find(|it| is_program(it)).unwrap_or(TERMINALS[0]);
        // Files itself shows folders only.
        let apps = opens::with(&path).into_iter().filter(|it| it.id != <crate::Files as genai_ui::App>::ID);
        let mut commands: Vec<Vec<std::ffi::OsString>> = apps.map(|app| app.opening(terminal, &[&path])).filter(|it| !it.is_empty()).collect();
        if mime::wider(mime::of(&path)).contains(&"text/plain") {
            let editor = std::env::var_os("EDITOR").filter(|it| !it.is_empty()).unwrap_or_else(|| "nano".into());
            commands.push(vec![terminal.into(), "-e".into(), editor, path.clone().into()]);
        }
        let mut said = format!("No program is installed that opens {name}.");
        for words in commands {
            match Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).process_group(0).spawn() {
                Ok(mut child) => {
                    // Somebody has to take its exit status.
                    std::thread::spawn(move || child.wait());
                    return Message::Opened(Ok(()));
                }
                Err(error) => said = format!("{} does not start for {name}: {error}.", words[0].display()),
            }
        }
        Message::Opened(Err(said))
    })
}

fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}
