//! The Store: what can be had, what is there, and the changes from one to the other. All work is gpm's; nothing happens that was not shown before.

pub mod catalogue;
mod index;
mod meter;
pub mod plan;
mod pictures;
mod programs;
pub mod screenshots;
mod view;
pub mod worker;

use genai_ui::futures::Subscription;
use genai_ui::runtime::widget::operation;
use genai_ui::widget::text_input;
use genai_ui::{App, Element, Task, Theme, theme};
use gpm::database::Past;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catalogue::{Catalogue, Entry};
use plan::Plan;
use worker::{Concessions, Failure, Loaded, Progress, Wish};

/// What the window's main part shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// Programs that can be had, or everything that is found.
    Explore,
    /// Programs of a section.
    Section(&'static str),
    /// What is there.
    Installed,
    /// What can be had newer.
    Updates,
    /// What was changed.
    History,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// Everything was read.
    Loaded(Result<Loaded, Failure>),
    /// Read everything again, and ask the repositories first.
    Refresh,
    /// Another page.
    Go(Page),
    /// Other words are looked for.
    Search(String),
    /// They are looked for among all packages of archives too.
    Everywhere,
    /// What was found there.
    Found(Result<Vec<Entry>, Failure>),
    /// All about a package.
    Show(String),
    /// A picture of a package at work was brought: the package, which one, and the file.
    Pictured(String, usize, Option<PathBuf>),
    /// Pictures of what is shown are to be brought, although that tells a server of it.
    ShowPictures,
    /// And from now on of whatever is shown.
    AlwaysShowPictures,
    /// Words for the line below.
    Said(String),
    /// The program that it has is started.
    Open,
    /// Back to the list.
    Back,
    /// What goes on ends, or what is shown.
    Escape,
    /// More of a long list.
    More,
    /// Somebody wants something.
    Want(Wish),
    /// And agrees to what it costs.
    Concede(Wish, Concessions),
    /// What it takes.
    Proposed(Result<Plan, Failure>),
    /// What is only recommended comes along, or not.
    Recommended(bool),
    /// The same by a key: the other way.
    OtherChoice,
    /// It is agreed to.
    Confirm,
    /// It is not, or it is to stop.
    Cancel,
    /// It goes on.
    Progress(Progress),
    /// It is done.
    Made(Result<Wish, Failure>),
    /// A message was read.
    Dismiss,
    /// Another entry of the list, so many further down.
    Choose(isize),
    /// What is next for who has only keys: shows the chosen entry, installs what is shown, agrees.
    Enter,
    /// Other words are to be looked for.
    Find,
}

/// What is going on beside looking.
#[derive(Debug, Clone)]
enum Doing {
    /// Nothing.
    Nothing,
    /// What a wish takes is being found out.
    Planning(Wish),
    /// A plan is shown.
    Asking(Plan),
    /// A plan is being made true.
    Working(Wish, Progress),
    /// Something was not possible.
    Failed(Option<Wish>, Failure),
}

/// How many entries stay in sight above the chosen one.
const ROWS_ABOVE: usize = 2;
/// How many entries the keys for pages go.
const PAGE: isize = 6;

/// Entries of a list that are shown at first, and how many more at each time.
const PORTION: usize = 60;

/// The app.
pub struct Store {
    root: PathBuf,
    catalogue: Option<Arc<Catalogue>>,
    history: Vec<Past>,
    unreachable: Vec<String>,
    page: Page,
    words: String,
    shown: Option<String>,
    /// What the package that is shown has for launchers, where it is installed.
    program: Option<desktop_entries::App>,
    /// Of the package that is shown.
    gallery: pictures::Gallery,
    /// Where pictures are kept.
    cache: Option<PathBuf>,
    /// The user's settings, which say whether pictures are brought.
    settings: Option<PathBuf>,
    /// The entry that Enter shows: its place in the list.
    chosen: Option<usize>,
    portion: usize,
    doing: Doing,
    said: Option<String>,
    is_loading: bool,
    /// Whether there are archives, of which the catalogue has the programs only.
    has_archives: bool,
    /// Whether the repositories have been asked since it was started.
    has_asked: bool,
    /// The words that are looked for, or were, among all their packages.
    everywhere: Option<String>,
    cancelled: Arc<AtomicBool>,
    is_light: bool,
}

impl Store {
    /// For the tree below `root`.
    pub fn new(root: PathBuf, is_light: bool) -> Self {
        Store {
            root,
            catalogue: None,
            history: Vec::new(),
            unreachable: Vec::new(),
            page: Page::Explore,
            words: String::new(),
            shown: None,
            program: None,
            gallery: pictures::Gallery::default(),
            cache: screenshots::cache(),
            settings: desktop_settings::path(),
            chosen: None,
            portion: PORTION,
            doing: Doing::Nothing,
            said: None,
            is_loading: true,
            has_archives: false,
            has_asked: false,
            everywhere: None,
            cancelled: Arc::default(),
            is_light,
        }
    }

    /// What it does first: reads what there is.
    pub fn start(&self) -> Task<Message> {
        Task::batch([worker::load(self.root.clone(), false), operation::focus(view::SEARCH)])
    }

    /// A wish in words, with the names that people know.
    fn words(&self, wish: &Wish) -> String {
        let entry = |name: &str| self.catalogue.as_ref().and_then(|it| it.get(name)).map(|it| it.title.clone());
        wish.with_titles(|name| entry(name).unwrap_or_else(|| name.to_owned()))
    }

    /// The entries of the page, in order.
    fn listed(&self) -> Vec<&Entry> {
        let Some(catalogue) = &self.catalogue else { return Vec::new() };
        let found = catalogue.search(&self.words).into_iter();
        let is_searching = !self.words.trim().is_empty();
        match &self.page {
            // Parts of others are found by who looks for them.
            Page::Explore => found.filter(|it| is_searching || it.is_app).collect(),
            Page::Section(name) => found.filter(|it| it.sections.contains(name)).collect(),
            Page::Installed => found.filter(|it| it.installed.is_some()).collect(),
            Page::Updates => found.filter(|it| it.has_update()).collect(),
            Page::History => Vec::new(),
        }
    }

    /// Whether words can be looked for among more packages than the catalogue has.
    fn may_look_further(&self) -> bool {
        let is_new = self.everywhere.as_ref() != Some(&self.words);
        self.has_archives && !self.is_loading && self.page == Page::Explore && !self.words.trim().is_empty() && is_new
    }

    fn updates(&self) -> usize {
        self.catalogue.as_ref().map_or(0, |it| it.entries().iter().filter(|it| it.has_update()).count())
    }

    fn plan(&mut self, wish: Wish, concessions: Concessions) -> Task<Message> {
        // One at a time: gpm's database has one lock.
        if matches!(self.doing, Doing::Planning(_) | Doing::Working(..)) {
            return Task::none();
        }
        self.cancelled = Arc::default();
        self.said = None;
        self.doing = Doing::Planning(wish.clone());
        worker::propose(self.root.clone(), wish, concessions, self.cancelled.clone())
    }

    /// What Enter does now.
    fn next(&self) -> Option<Message> {
        match &self.doing {
            Doing::Asking(plan) => plan.proposal().essential.is_empty().then_some(Message::Confirm),
            Doing::Failed(..) => Some(Message::Dismiss),
            Doing::Planning(_) | Doing::Working(..) => None,
            Doing::Nothing => {
                let Some(name) = &self.shown else { return self.listed().get(self.chosen?).map(|it| Message::Show(it.name.clone())) };
                let entry = self.catalogue.as_ref()?.get(name)?;
                match (&entry.installed, &entry.offered) {
                    (None, Some(_)) => Some(Message::Want(Wish::Install(name.clone()))),
                    _ if entry.has_update() => Some(Message::Want(Wish::Upgrade(name.clone()))),
                    _ => self.program.as_ref().map(|_| Message::Open),
                }
            }
        }
    }

    fn choose(&mut self, by: isize) -> Task<Message> {
        let count = self.listed().len().min(self.portion);
        if self.shown.is_some() || count == 0 {
            return Task::none();
        }
        let next = self.chosen.map_or(0, |it| it.saturating_add_signed(by).min(count - 1));
        self.chosen = Some(next);
        let y = next.saturating_sub(ROWS_ABOVE) as f32 * view::ROW_HEIGHT;
        operation::scroll_to(view::LIST, operation::AbsoluteOffset { x: None, y: Some(y) })
    }

    /// Finds out what the package that is shown has for launchers.
    fn find_program(&mut self) {
        let entry = self.shown.as_ref().and_then(|name| self.catalogue.as_ref()?.get(name)).filter(|it| it.installed.is_some());
        self.program = entry.and_then(|it| programs::of(&self.root, &it.name, &it.title));
    }

    /// Keeps pictures elsewhere, and has other settings: for tests.
    #[must_use]
    pub fn with_places(self, cache: PathBuf, settings: PathBuf) -> Self {
        Store { cache: Some(cache), settings: Some(settings), ..self }
    }

    fn load(&mut self, update: bool) -> Task<Message> {
        self.is_loading = true;
        worker::load(self.root.clone(), update)
    }
}

impl App for Store {
    type Message = Message;

    const ID: &'static str = "org.genai.Store";

    fn title(&self) -> String {
        match self.shown.as_ref().and_then(|name| self.catalogue.as_ref()?.get(name)) {
            Some(entry) => format!("{} - Store", entry.title),
            None => "Store".to_owned(),
        }
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Loaded(Ok(loaded)) => {
                self.is_loading = false;
                self.catalogue = Some(loaded.catalogue);
                self.history = loaded.history;
                self.unreachable = loaded.unreachable;
                self.has_archives = loaded.archives_known.is_some();
                self.everywhere = None;
                self.find_program();
                // Once: where they cannot be reached, that is said, and asking again is up to who sees it.
                if loaded.archives_known == Some(false) && !std::mem::replace(&mut self.has_asked, true) {
                    return self.load(true);
                }
            }
            Message::Loaded(Err(failure)) => {
                self.is_loading = false;
                self.doing = Doing::Failed(None, failure);
            }
            Message::Refresh => {
                self.has_asked = true;
                return self.load(true);
            }
            Message::Go(page) => {
                (self.page, self.shown, self.chosen, self.portion, self.said) = (page, None, None, PORTION, None);
                return operation::snap_to(view::LIST, operation::RelativeOffset::START);
            }
            Message::Search(words) => {
                self.chosen = (!words.trim().is_empty()).then_some(0);
                (self.words, self.shown, self.portion) = (words, None, PORTION);
                if self.page == Page::History {
                    self.page = Page::Explore;
                }
            }
            Message::Everywhere => {
                self.everywhere = Some(self.words.clone());
                self.is_loading = true;
                return worker::look_everywhere(self.root.clone(), &self.words);
            }
            Message::Found(Ok(more)) => {
                self.is_loading = false;
                self.catalogue = self.catalogue.as_ref().map(|it| Arc::new(it.with(more)));
            }
            Message::Found(Err(failure)) => {
                self.is_loading = false;
                self.doing = Doing::Failed(None, failure);
            }
            Message::Show(name) => {
                (self.shown, self.said) = (Some(name), None);
                self.find_program();
                // So that the next key is for what is shown.
                return Task::batch([genai_ui::parts::unfocus(), self.open_gallery()]);
            }
            Message::Escape => {
                let is_asking = !matches!(self.doing, Doing::Nothing);
                return self.update(if is_asking { Message::Cancel } else { Message::Back });
            }
            Message::Back => {
                self.shown = None;
                return operation::focus(view::SEARCH);
            }
            Message::Pictured(name, at, file) => self.pictured(&name, at, file),
            Message::ShowPictures => return self.bring_pictures(),
            Message::AlwaysShowPictures => return self.always_bring_pictures(),
            Message::Said(words) => self.said = Some(words),
            Message::Open => {
                if let Some(program) = &self.program {
                    self.said = Some(programs::start(program).map_or_else(|problem| problem, |()| format!("{} is starting.", program.name)));
                }
            }
            Message::More => self.portion += PORTION,
            Message::Want(wish) => return self.plan(wish, Concessions::default()),
            Message::Concede(wish, concessions) => return self.plan(wish, concessions),
            Message::Proposed(Ok(plan)) if plan.proposal().changes.is_empty() => {
                (self.doing, self.said) = (Doing::Nothing, Some("Nothing has to be changed.".to_owned()));
            }
            Message::Proposed(Ok(plan)) => self.doing = Doing::Asking(plan),
            Message::Proposed(Err(failure)) => {
                let wish = match std::mem::replace(&mut self.doing, Doing::Nothing) {
                    Doing::Planning(wish) if !self.cancelled.load(Ordering::Relaxed) => wish,
                    _ => return Task::none(),
                };
                self.doing = Doing::Failed(Some(wish), failure);
            }
            Message::Recommended(is_wanted) => {
                if let Doing::Asking(plan) = &mut self.doing {
                    plan.choose(is_wanted);
                }
            }
            Message::OtherChoice => {
                if let Doing::Asking(plan) = &mut self.doing
                    && let Some(extra) = plan.extra()
                {
                    plan.choose(!extra.is_chosen);
                }
            }
            Message::Confirm => {
                let Doing::Asking(plan) = std::mem::replace(&mut self.doing, Doing::Nothing) else { return Task::none() };
                self.cancelled = Arc::default();
                self.doing = Doing::Working(plan.wish.clone(), Progress { text: "Beginning".to_owned(), part: None });
                return worker::make(self.root.clone(), plan, self.cancelled.clone());
            }
            Message::Cancel => {
                self.cancelled.store(true, Ordering::Relaxed);
                if !matches!(self.doing, Doing::Working(..)) {
                    self.doing = Doing::Nothing;
                }
            }
            Message::Progress(progress) => {
                if let Doing::Working(_, before) = &mut self.doing {
                    *before = progress;
                }
            }
            Message::Made(outcome) => {
                let was_cancelled = self.cancelled.load(Ordering::Relaxed);
                self.doing = match outcome {
                    Ok(wish) => {
                        self.said = Some(format!("Done: {}.", self.words(&wish)));
                        Doing::Nothing
                    }
                    Err(_) if was_cancelled => {
                        self.said = Some("Stopped. Nothing was changed.".to_owned());
                        Doing::Nothing
                    }
                    Err(failure) => Doing::Failed(None, failure),
                };
                return self.load(false);
            }
            Message::Dismiss => (self.doing, self.said) = (Doing::Nothing, None),
            Message::Choose(by) => return self.choose(by),
            Message::Enter => return self.next().map_or(Task::none(), |next| self.update(next)),
            Message::Find => return operation::focus(view::SEARCH),
        }
        Task::none()
    }

    fn view(&self) -> Element<'_, Message> {
        view::window(self)
    }

    fn subscription(&self) -> Subscription<Message> {
        use genai_ui::core::keyboard::{Event, Key, key::Named};
        use genai_ui::core::event::Status;
        use genai_ui::futures::{event, keyboard};
        let is_asking = !matches!(self.doing, Doing::Nothing);
        // A field keeps it for itself: it only lets go of the keys then.
        let from_field = event::listen_with(|event, status, _| match event {
            genai_ui::core::Event::Keyboard(Event::KeyPressed { key: Key::Named(Named::Escape), .. }) if status == Status::Captured => Some(Message::Escape),
            _ => None,
        });
        let keys = keyboard::listen().with(is_asking).filter_map(|(is_asking, event)| match event {
            Event::KeyPressed { key: Key::Named(named), .. } => match named {
                Named::Escape if is_asking => Some(Message::Cancel),
                Named::Escape => Some(Message::Back),
                Named::Enter => Some(Message::Enter),
                Named::Space if is_asking => Some(Message::OtherChoice),
                Named::ArrowDown => Some(Message::Choose(1)),
                Named::ArrowUp => Some(Message::Choose(-1)),
                Named::PageDown => Some(Message::Choose(PAGE)),
                Named::PageUp => Some(Message::Choose(-PAGE)),
                _ => None,
            },
            Event::KeyPressed { key: Key::Character(letter), modifiers, .. } if modifiers.command() && letter == "f" => Some(Message::Find),
            Event::KeyPressed { key: Key::Character(letter), modifiers, .. } if modifiers.command() && letter == "p" => Some(Message::ShowPictures),
            _ => None,
        });
        Subscription::batch([from_field, keys])
    }

    fn theme(&self) -> Theme {
        theme::light_or_current(self.is_light)
    }
}

// Named here for the view, which builds on it.
type SearchField<'a> = text_input::TextInput<'a, Message, Theme, genai_ui::Renderer>;
