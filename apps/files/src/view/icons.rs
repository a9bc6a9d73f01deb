//! Pictures of kinds of things, and of places.

use desktop_entries::mime;
use file_operations::entry::{Entry, Kind};
use genai_ui::core::{Element, svg};
use genai_ui::{Renderer, Theme, theme};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The sheet that most kinds lie on: its fold, and what is on it.
macro_rules! sheet {
    ($inside:literal) => {
        concat!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M6.5 5A2.5 2.5 0 0 1 9 2.5h10L26 9.5V27a2.5 2.5 0 0 1-2.5 2.5H9A2.5 2.5 0 0 1 6.5 27z" fill="#d4d8df"/><path d="M19 2.5 26 9.5h-5a2 2 0 0 1-2-2z" fill="#98a1b0"/>"##,
            $inside,
            "</svg>"
        )
    };
}

/// A line drawing of a place, in the colour of its text.
macro_rules! place {
    ($inside:literal) => {
        concat!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">"##,
            $inside,
            "</svg>"
        )
    };
}

const FOLDER: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M3 8a3 3 0 0 1 3-3h6l3 3h11a3 3 0 0 1 3 3v13a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3z" fill="#3f7ae6"/><path d="M3 13h26v11a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3z" fill="#6ea3ff"/></svg>"##;
const TEXT: &str = sheet!(r##"<path d="M11 15.5h10.5M11 19.5h10.5M11 23.5h7" stroke="#7d8798" stroke-width="1.7" stroke-linecap="round"/>"##);
const PICTURE: &str =
    sheet!(r##"<circle cx="12.5" cy="14.5" r="2" fill="#e0a13c"/><path d="M9 26l5-7 3.5 4 2-2.5 4 5.5z" fill="#3fa67a"/>"##);
const SOUND: &str = sheet!(r##"<path d="M14 24.5v-9l7-1.5v8.5" fill="none" stroke="#b04fc4" stroke-width="1.7"/><circle cx="12.2" cy="24.3" r="2.1" fill="#b04fc4"/><circle cx="19.2" cy="22.6" r="2.1" fill="#b04fc4"/>"##);
const FILM: &str = sheet!(r##"<path d="M12.5 14v10.5l9-5.25z" fill="#d8566a"/>"##);
const ARCHIVE: &str = sheet!(r##"<path d="M13 3v15" stroke="#a8792a" stroke-width="2.4" stroke-dasharray="2 2"/><rect x="11" y="18" width="4" height="6" rx="1.3" fill="#a8792a"/>"##);
const PROGRAM: &str = sheet!(r##"<path d="M11.5 15.5l3.5 3.5-3.5 3.5M17 23.5h4.5" fill="none" stroke="#4a6fb5" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>"##);
const PLAIN: &str = sheet!("");
const SPECIAL: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="11" fill="#8d96a5"/><path d="M12 16h8" stroke="#16181d" stroke-width="3" stroke-linecap="round"/></svg>"##;
const BROKEN: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="11" fill="#e5596b"/><path d="M12.5 12.5l7 7M19.5 12.5l-7 7" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>"##;

/// The arrows of the bar above, and pictures of the places at the side.
pub const BACK: &str = place!(r##"<path d="M14.5 6l-6 6 6 6"/>"##);
pub const FORWARD: &str = place!(r##"<path d="M9.5 6l6 6-6 6"/>"##);
pub const UP: &str = place!(r##"<path d="M12 18.5v-13M6.5 11l5.5-5.5 5.5 5.5"/>"##);
const HOME: &str = place!(r##"<path d="M4 11.5L12 4.5l8 7M6 10v9.5h12V10M10 19.5v-5.5h4v5.5"/>"##);
const DESKTOP: &str = place!(r##"<rect x="3.5" y="5" width="17" height="11.5" rx="1.5"/><path d="M9 20h6M12 16.5v3.5"/>"##);
const DOCUMENTS: &str = place!(r##"<path d="M6 3.5h8l4.5 4.5v12.5H6zM14 3.5v4.5h4.5M9 13h6M9 16.5h6"/>"##);
const DOWNLOADS: &str = place!(r##"<path d="M12 4v11M7.5 10.5L12 15l4.5-4.5M4.5 19.5h15"/>"##);
const MUSIC: &str = place!(r##"<path d="M9.5 17.5V6.5l9-2v11"/><circle cx="7.25" cy="17.5" r="2.25"/><circle cx="16.25" cy="15.5" r="2.25"/>"##);
const PICTURES: &str = place!(r##"<rect x="3.5" y="5" width="17" height="14" rx="1.5"/><circle cx="8.5" cy="10" r="1.5"/><path d="M4 17.5l5.5-4.5 3.5 3 3.5-3.5 4 4"/>"##);
const VIDEOS: &str = place!(r##"<rect x="3.5" y="6" width="12" height="12" rx="1.5"/><path d="M15.5 11l5-3v8l-5-3z"/>"##);
const DISK: &str = place!(r##"<rect x="3.5" y="6" width="17" height="12" rx="2"/><path d="M3.5 13.5h17M16.5 16h.01"/>"##);
const TRASH: &str = place!(r##"<path d="M4.5 6.5h15M9.5 6.5V4h5v2.5M6.5 6.5l1 13.5h9l1-13.5M10.25 10.5v5.5M13.75 10.5v5.5"/>"##);

fn handle(source: &'static str) -> svg::Handle {
    static HANDLES: LazyLock<Mutex<HashMap<usize, svg::Handle>>> = LazyLock::new(Mutex::default);
    let mut handles = HANDLES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    handles.entry(source.as_ptr() as usize).or_insert_with(|| svg::Handle::from_memory(source.as_bytes())).clone()
}

/// The picture of what something is.
pub fn of<'a, M: 'a>(entry: &Entry, side: f32) -> Element<'a, M, Theme, Renderer> {
    let source = match entry.kind {
        Kind::Folder => FOLDER,
        Kind::Broken => BROKEN,
        Kind::Special => SPECIAL,
        Kind::File => match mime::by_name(std::path::Path::new(&entry.name)).and_then(|it| Some((it, it.split_once('/')?.0))) {
            Some((_, "image")) => PICTURE,
            Some((_, "audio")) => SOUND,
            Some((_, "video")) => FILM,
            Some(("application/x-shellscript", _)) => PROGRAM,
            Some((kind, _)) if kind.contains("zip") || kind.contains("tar") || kind.contains("zstd") || kind.contains("compressed") || kind.ends_with("x-xz") || kind.contains("debian") => ARCHIVE,
            Some(_) => TEXT,
            None => PLAIN,
        },
    };
    genai_ui::widget::svg(handle(source)).width(side).height(side).into()
}

/// The picture of a place, by its name.
pub fn place<'a, M: 'a>(name: &str) -> Element<'a, M, Theme, Renderer> {
    let source = match name {
        "Home" => HOME,
        "Desktop" => DESKTOP,
        "Documents" => DOCUMENTS,
        "Downloads" => DOWNLOADS,
        "Music" => MUSIC,
        "Pictures" => PICTURES,
        "Videos" => VIDEOS,
        "Trash" => TRASH,
        _ => DISK,
    };
    drawing(source, 18.0, false)
}

/// A line drawing in the colour of text; that of what cannot be pressed is faint.
pub fn drawing<'a, M: 'a>(source: &'static str, side: f32, is_faint: bool) -> Element<'a, M, Theme, Renderer> {
    let style = move |theme: &Theme, _| {
        let colour = theme::faint(theme).color;
        svg_style(colour.map(|it| if is_faint { it.scale_alpha(0.45) } else { it }))
    };
    genai_ui::widget::svg(handle(source)).width(side).height(side).style(style).into()
}

fn svg_style(color: Option<genai_ui::core::Color>) -> genai_ui::widget::svg::Style {
    genai_ui::widget::svg::Style { color }
}
