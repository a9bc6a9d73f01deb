//! Programs at the right of the panel, by the StatusNotifierItem interface: `org.kde.StatusNotifierWatcher`, and who shows what is registered there.
//!
//! A task for each program reads what it looks like, and again when it says that this has changed. One task knows all of them, and is connected to the compositor
//! while there are some.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_lite::StreamExt;
use gde_ipc::{Answer, Event, Menu, MenuItem, Picture, Request, TrayButton, TrayItem};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use zbus::message::{Header, Type};
use zbus::object_server::SignalEmitter;
use zbus::{Connection, MatchRule, MessageStream, fdo};

use crate::compositor::Session;
use crate::item::{self, Look};
use crate::{menu, text};

/// The name on the bus.
pub const NAME: &str = "org.kde.StatusNotifierWatcher";
/// Where the object is.
pub const PATH: &str = "/StatusNotifierWatcher";
/// Programs at most, and those that are shown.
const MOST: usize = 64;
const SHOWN: usize = 16;
/// A program is looked at again no sooner.
const PAUSE: Duration = Duration::from_millis(250);
/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(5);
/// Between attempts to reach the compositor.
const AGAIN: Duration = Duration::from_secs(1);

/// A program that wants to be shown: its name on the bus, and its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its own name on the bus, which no other program can take over.
    pub owner: String,
    /// What it has registered by.
    pub service: String,
    /// Its object.
    pub path: String,
}

impl Place {
    /// As other programs know it.
    fn name(&self) -> String {
        format!("{}{}", self.service, self.path)
    }
}

/// What has happened.
#[derive(Debug)]
enum News {
    /// A program wants to be shown.
    Registered(Place),
    /// What it looks like; none where nothing is to be seen of it.
    Looks(u32, Option<Look>),
    /// Its menu is to be shown.
    Menu(menu::Place, Vec<MenuItem>),
    /// It has gone.
    Gone(u32),
}

/// One that has registered.
#[derive(Debug, Clone)]
struct Program {
    place: Place,
    /// It has said that it looks otherwise now.
    changed: Arc<Notify>,
    /// It has left the bus.
    gone: Arc<Notify>,
}

/// Who wants to be shown.
type Registered = Arc<Mutex<BTreeMap<u32, Program>>>;

/// Takes programs' wishes.
pub struct Watcher {
    news: mpsc::Sender<News>,
    registered: Registered,
}

/// The task that knows all programs.
pub struct Tray {
    bus: Connection,
    compositor: PathBuf,
    news: mpsc::Receiver<News>,
    /// For the tasks of programs.
    tell: mpsc::Sender<News>,
    registered: Registered,
    last: u32,
    looks: BTreeMap<u32, Look>,
    /// The menu that is shown, and its number.
    menu: Option<(u32, menu::Place)>,
    menus: u32,
}

/// A watcher, and what has to run for it.
pub fn watcher(bus: &Connection, compositor: PathBuf) -> (Watcher, Tray) {
    let (tell, news) = mpsc::channel(MOST);
    let registered = Registered::default();
    let watcher = Watcher { news: tell.clone(), registered: registered.clone() };
    (watcher, Tray { bus: bus.clone(), compositor, news, tell, registered, last: 0, looks: BTreeMap::new(), menu: None, menus: 0 })
}

fn all(registered: &Registered) -> std::sync::MutexGuard<'_, BTreeMap<u32, Program>> {
    registered.lock().unwrap_or_else(PoisonError::into_inner)
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    /// A program wants to be shown: its name on the bus, or where its object is.
    async fn register_status_notifier_item(&self, #[zbus(header)] header: Header<'_>, service: &str) -> fdo::Result<()> {
        let owner = header.sender().map(ToString::to_string).unwrap_or_default();
        let (service, path) = if service.starts_with('/') { (owner.as_str(), service) } else { (service, "/StatusNotifierItem") };
        let is_good = zbus::names::BusName::try_from(service).is_ok() && zbus::zvariant::ObjectPath::try_from(path).is_ok() && path.len() <= 255;
        if !is_good {
            return Err(fdo::Error::InvalidArgs("that is neither a name on the bus nor the path of an object".into()));
        }
        let place = Place { service: service.to_owned(), path: path.to_owned(), owner };
        if all(&self.registered).len() >= MOST {
            return Err(fdo::Error::LimitsExceeded(format!("{MOST} programs have registered already")));
        }
        self.news.try_send(News::Registered(place)).map_err(|_| fdo::Error::LimitsExceeded("too many programs register at once".into()))
    }

    /// Another program wants to show them, too.
    async fn register_status_notifier_host(&self, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>, _service: &str) -> fdo::Result<()> {
        Ok(Self::status_notifier_host_registered(&emitter).await?)
    }

    /// All programs that want to be shown.
    #[zbus(property(emits_changed_signal = "false"))]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        all(&self.registered).values().map(|it| it.place.name()).collect()
    }

    /// The desktop shows them.
    #[zbus(property(emits_changed_signal = "const"))]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    /// The version of the interface.
    #[zbus(property(emits_changed_signal = "const"))]
    fn protocol_version(&self) -> i32 {
        0
    }

    /// A program wants to be shown.
    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;

    /// One has gone.
    #[zbus(signal)]
    async fn status_notifier_item_unregistered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;

    /// Somebody shows them.
    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

impl Tray {
    /// Works as long as there is a bus.
    pub async fn run(mut self) {
        tokio::spawn(hear(MessageStream::from(&self.bus), self.registered.clone()));
        if let Err(error) = ask_for_signals(&self.bus).await {
            tracing::warn!("programs in the panel stay as they are first: {error}");
        }
        let mut session: Option<Session> = None;
        let mut is_stale = false;
        let mut next_try = Instant::now();
        loop {
            if self.looks.is_empty() && session.is_some() {
                // The pictures go with the connection.
                session = None;
                is_stale = false;
            }
            if is_stale && Instant::now() >= next_try {
                match self.show(&mut session).await {
                    Ok(()) => is_stale = false,
                    Err(error) => {
                        tracing::debug!("showing programs in the panel: {error}");
                        session = None;
                        next_try = Instant::now() + AGAIN;
                    }
                }
            }
            let event = async {
                match &mut session {
                    Some(session) => session.next_event().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                news = self.news.recv() => match news {
                    Some(News::Menu(place, items)) => {
                        if let Err(error) = self.show_menu(&mut session, place, items).await {
                            tracing::debug!("showing a menu: {error}");
                        }
                    }
                    Some(news) => is_stale |= self.learn(news).await,
                    None => return,
                },
                event = event => match event {
                    Ok(Event::TrayClicked { id, button, x, y }) => self.clicked(id, button, (x, y)),
                    Ok(Event::MenuClosed { id, item }) => self.menu_closed(id, item),
                    Ok(_) => {}
                    Err(_) => {
                        session = None;
                        self.menu = None;
                        is_stale = !self.looks.is_empty();
                        next_try = Instant::now() + AGAIN;
                    }
                },
                () = sleep_until(next_try), if is_stale => {}
            }
        }
    }

    /// Shows all at the compositor.
    async fn show(&self, session: &mut Option<Session>) -> std::io::Result<()> {
        let items = self.looks.iter().take(SHOWN).map(|(id, look)| TrayItem { id: *id, title: look.title.clone(), picture: look.picture.clone() });
        let request = Request::ShowTray { items: items.collect() };
        let shown = async {
            let session = match session {
                Some(session) => session,
                None => session.insert(Session::connect(&self.compositor).await?),
            };
            session.ask(&request).await
        };
        match timeout(LIMIT, shown).await?? {
            Answer::Done => Ok(()),
            other => Err(std::io::Error::other(format!("{other:?}"))),
        }
    }

    /// Whether other pictures are to be shown now.
    async fn learn(&mut self, news: News) -> bool {
        let Ok(emitter) = SignalEmitter::new(&self.bus, PATH) else { return false };
        match news {
            News::Registered(place) => {
                let is_known = all(&self.registered).values().any(|it| it.place == place);
                if is_known {
                    return false;
                }
                self.last += 1;
                let name = place.name();
                let program = Program { place, changed: Arc::default(), gone: Arc::default() };
                all(&self.registered).insert(self.last, program.clone());
                tokio::spawn(follow(self.bus.clone(), self.last, program, self.tell.clone()));
                told(Watcher::status_notifier_item_registered(&emitter, &name).await);
                false
            }
            News::Menu(..) => false,
            News::Looks(id, look) => {
                // It may have gone meanwhile.
                if !all(&self.registered).contains_key(&id) {
                    return false;
                }
                let before = match look.clone() {
                    Some(look) => self.looks.insert(id, look),
                    None => self.looks.remove(&id),
                };
                before != look
            }
            News::Gone(id) => {
                let program = all(&self.registered).remove(&id);
                if let Some(program) = program {
                    told(Watcher::status_notifier_item_unregistered(&emitter, &program.place.name()).await);
                }
                self.looks.remove(&id).is_some()
            }
        }
    }

    /// The program is told of a click.
    fn clicked(&self, id: u32, button: TrayButton, at: (i32, i32)) {
        let Some(Program { place, .. }) = all(&self.registered).get(&id).cloned() else { return };
        let look = self.looks.get(&id);
        let is_menu = look.is_some_and(|it| it.is_menu);
        let menu = look.and_then(|it| it.menu.clone()).map(|path| menu::Place { owner: place.owner.clone(), path });
        if let (Some(menu), true) = (&menu, button == TrayButton::Right || (button == TrayButton::Left && is_menu)) {
            return self.open_menu(menu.clone());
        }
        let method = match button {
            TrayButton::Left if !is_menu => "Activate",
            TrayButton::Middle => "SecondaryActivate",
            TrayButton::Left | TrayButton::Right => "ContextMenu",
        };
        let (bus, tell) = (self.bus.clone(), self.tell.clone());
        tokio::spawn(async move {
            let call = bus.call_method(Some(place.owner.as_str()), place.path.as_str(), Some(item::INTERFACE), method, &at);
            if let Ok(Err(error)) = timeout(LIMIT, call).await {
                tracing::debug!("{} of {}: {error}", method, place.service);
                // A program that has only a menu need not say so.
                if let (Some(menu), "Activate") = (menu, method) {
                    fetch(bus, tell, menu).await;
                }
            }
        });
    }

    fn open_menu(&self, place: menu::Place) {
        tokio::spawn(fetch(self.bus.clone(), self.tell.clone(), place));
    }

    /// Shows a menu at the compositor.
    async fn show_menu(&mut self, session: &mut Option<Session>, place: menu::Place, items: Vec<MenuItem>) -> std::io::Result<()> {
        // Without a picture there was no click on it.
        let Some(it) = session else { return Ok(()) };
        self.menus = self.menus.wrapping_add(1);
        let request = Request::ShowMenu { menu: Menu { id: self.menus, items } };
        let answer = timeout(LIMIT, it.ask(&request)).await;
        match answer {
            Ok(Ok(Answer::Done)) => {
                if let Some((_, before)) = self.menu.replace((self.menus, place)) {
                    self.tell_closed(before, None);
                }
                Ok(())
            }
            Ok(Ok(other)) => Err(std::io::Error::other(format!("{other:?}"))),
            // What it says next would be taken for the answer to something else.
            Ok(Err(error)) => {
                *session = None;
                Err(error)
            }
            Err(error) => {
                *session = None;
                Err(error.into())
            }
        }
    }

    fn menu_closed(&mut self, id: u32, item: Option<i32>) {
        if let Some((_, place)) = self.menu.take_if(|it| it.0 == id) {
            self.tell_closed(place, item);
        }
    }

    fn tell_closed(&self, place: menu::Place, item: Option<i32>) {
        let bus = self.bus.clone();
        tokio::spawn(async move { place.closed(&bus, item).await });
    }
}

/// Asks a program what is in its menu.
async fn fetch(bus: Connection, tell: mpsc::Sender<News>, place: menu::Place) {
    match place.items(&bus).await {
        Ok(items) if items.is_empty() => {}
        Ok(items) => drop(tell.send(News::Menu(place, items)).await),
        Err(error) => tracing::debug!("the menu of {}: {error}", text::line(&place.owner, 80)),
    }
}

fn told(result: zbus::Result<()>) {
    if let Err(error) = result {
        tracing::warn!("telling programs: {error}");
    }
}

/// Hears of what programs tell of themselves. It waits for nothing else: what it does not take in time would hold all messages up.
async fn hear(mut messages: MessageStream, registered: Registered) {
    while let Some(message) = messages.next().await {
        let Ok(message) = message else { continue };
        let header = message.header();
        if header.message_type() != Type::Signal {
            continue;
        }
        let (Some(sender), Some(interface), Some(path)) = (header.sender(), header.interface(), header.path()) else { continue };
        if interface.as_str() == item::INTERFACE {
            let of = |it: &&Program| it.place.owner == sender.as_str() && it.place.path == path.as_str();
            all(&registered).values().filter(of).for_each(|it| it.changed.notify_one());
        } else if interface.as_str() == "org.freedesktop.DBus" && sender.as_str() == "org.freedesktop.DBus" {
            let body = message.body();
            let Ok((name, _, "")) = body.deserialize::<(&str, &str, &str)>() else { continue };
            all(&registered).values().filter(|it| it.place.owner == name).for_each(|it| it.gone.notify_one());
        }
    }
}

/// Asks the bus for what [`hear`] is to hear.
async fn ask_for_signals(bus: &Connection) -> zbus::Result<()> {
    let bus = fdo::DBusProxy::new(bus).await?;
    let rule = || MatchRule::builder().msg_type(Type::Signal);
    bus.add_match_rule(rule().interface(item::INTERFACE)?.build()).await?;
    Ok(bus.add_match_rule(rule().sender("org.freedesktop.DBus")?.interface("org.freedesktop.DBus")?.member("NameOwnerChanged")?.build()).await?)
}

/// Tells what a program looks like until it goes.
async fn follow(bus: Connection, id: u32, program: Program, tell: mpsc::Sender<News>) {
    if let Err(error) = look_on(&bus, id, &program, &tell).await {
        tracing::debug!("{} is not shown in the panel: {error}", text::line(&program.place.service, 80));
    }
    // The task that listens ends with the service alone.
    let _ = tell.send(News::Gone(id)).await;
}

async fn look_on(bus: &Connection, id: u32, program: &Program, tell: &mpsc::Sender<News>) -> zbus::Result<()> {
    loop {
        let look = timeout(LIMIT, item::look(bus, &program.place)).await.map_err(|_| zbus::Error::Failure("it does not answer".into()))??;
        if tell.send(News::Looks(id, look)).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            () = program.gone.notified() => return Ok(()),
            () = program.changed.notified() => {}
        }
        // A program that blinks is looked at some times a second.
        tokio::select! {
            () = program.gone.notified() => return Ok(()),
            () = sleep(PAUSE) => {}
        }
    }
}

/// A picture that is not there.
pub fn no_picture() -> Option<Picture> {
    // A grey disc.
    let pixels = (0..400u32).flat_map(|at| {
        let (x, y) = ((at % 20) as i32 * 2 - 19, (at / 20) as i32 * 2 - 19);
        [0x90, 0x96, 0xa0, if x * x + y * y < 200 { 0xff } else { 0 }]
    });
    Picture::new(20, 20, pixels.collect())
}
