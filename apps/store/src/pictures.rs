//! Which pictures of a program at work are shown. Those that are kept are; others are brought from a server, which so learns what is looked at: only where the
//! user wants that, always or for this program.

use std::path::PathBuf;

use desktop_settings::{Pictures, Settings};
use genai_ui::{Task, job};

use crate::{Message, Store, screenshots, worker};

/// Pictures of one program.
#[derive(Debug, Default)]
pub struct Gallery {
    /// Files of those that are here, in their order.
    pub files: Vec<Option<PathBuf>>,
    /// Where bringing others is offered.
    pub offer: Option<Offer>,
    /// How many are being brought.
    pub awaited: usize,
    /// Whether they were asked for by hand, so that it is said where none comes.
    is_asked: bool,
}

/// Pictures that are not here, and may be brought.
#[derive(Debug)]
pub struct Offer {
    /// The servers that have them, in words.
    pub server: String,
    /// How many there are.
    pub count: usize,
}

impl Store {
    /// What the user wants now. Where that is not to be understood, nobody is told anything.
    fn pictures_wanted(&self) -> Pictures {
        let settings = self.settings.as_ref().and_then(|path| Settings::read(path).ok());
        settings.unwrap_or_default().privacy.store_pictures
    }

    /// Shows the pictures of the package that is shown as far as they are kept, and brings the others or offers to.
    pub(crate) fn open_gallery(&mut self) -> Task<Message> {
        self.gallery = Gallery::default();
        let entry = self.shown.as_ref().and_then(|name| self.catalogue.as_ref()?.get(name));
        let (Some(entry), Some(cache)) = (entry, &self.cache) else { return Task::none() };
        let urls = &entry.screenshots;
        let files: Vec<Option<PathBuf>> = urls.iter().map(|url| screenshots::kept(cache, url)).collect();
        let mut servers: Vec<&str> = urls.iter().zip(&files).filter(|(_, file)| file.is_none()).filter_map(|(url, _)| screenshots::server(url)).collect();
        let count = servers.len();
        servers.sort_unstable();
        servers.dedup();
        let offer = (count > 0).then(|| Offer { server: servers.join(" and "), count });
        self.gallery = Gallery { files, ..Gallery::default() };
        let wanted = self.pictures_wanted();
        if wanted == Pictures::Ask {
            self.gallery.offer = offer;
        }
        self.fetch(wanted == Pictures::Always)
    }

    /// Brings those that are not in the cache: of this machine's files, and of servers where they may be asked.
    fn fetch(&mut self, may_ask_servers: bool) -> Task<Message> {
        let entry = self.shown.as_ref().and_then(|name| self.catalogue.as_ref()?.get(name));
        let (Some(entry), Some(cache)) = (entry, &self.cache) else { return Task::none() };
        let lacking = entry.screenshots.iter().enumerate().zip(&self.gallery.files).filter(|((_, url), file)| file.is_none() && (may_ask_servers || screenshots::server(url).is_none()));
        let tasks: Vec<_> = lacking.map(|((at, url), _)| worker::picture(cache.clone(), entry.name.clone(), at, url.clone())).collect();
        self.gallery.awaited = tasks.len();
        Task::batch(tasks)
    }

    /// Brings them, as somebody said so; only where it was offered.
    pub(crate) fn bring_pictures(&mut self) -> Task<Message> {
        if self.gallery.offer.take().is_none() {
            return Task::none();
        }
        self.gallery.is_asked = true;
        self.fetch(true)
    }

    /// Brings them, here and from now on.
    pub(crate) fn always_bring_pictures(&mut self) -> Task<Message> {
        let brought = self.bring_pictures();
        let Some(path) = self.settings.clone() else { return brought };
        let kept = job::start(move |_| {
            let kept = Settings::change(&path, |it| it.privacy.store_pictures = Pictures::Always);
            kept.map_or_else(|error| Message::Said(format!("The pictures are shown now, but that could not be kept: {error}")), |_| Message::Said("Pictures are always shown from now on. Settings has it under AI and privacy.".to_owned()))
        });
        Task::batch([brought, kept])
    }

    /// One was brought, or could not be.
    pub(crate) fn pictured(&mut self, name: &str, at: usize, file: Option<PathBuf>) {
        if self.shown.as_deref() != Some(name) {
            return;
        }
        let Some(place) = self.gallery.files.get_mut(at) else { return };
        *place = file;
        self.gallery.awaited = self.gallery.awaited.saturating_sub(1);
        if self.gallery.awaited == 0 && self.gallery.is_asked && self.gallery.files.iter().all(Option::is_none) {
            self.said = Some("No picture could be brought.".to_owned());
        }
    }
}
