//! Files that are chosen for programs, and pictures of the screen.

mod common;

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use common::compositor::{Fake, Manner};
use common::{LIMIT, SETTINGS, Session, is_called, next, proxy, until};
use futures_lite::StreamExt;
use tokio::time::timeout;
use zbus::proxy::SignalStream;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Proxy};

const CHOOSER: (&str, &str, &str) = (SETTINGS.0, SETTINGS.1, "org.freedesktop.portal.FileChooser");
const SHOOTER: (&str, &str, &str) = (SETTINGS.0, SETTINGS.1, "org.freedesktop.portal.Screenshot");

type Options<'a> = HashMap<&'a str, Value<'a>>;

/// A program in the place of Files, which notes how it was started.
fn chooser(session: &Session, script: &str) -> PathBuf {
    program(session, "chooser", &format!("printf '%s\\n' \"$WAYLAND_DISPLAY\" \"$@\" >'{}'\n{script}", session.folder.path().join("started").display()))
}

fn program(session: &Session, name: &str, script: &str) -> PathBuf {
    let path = session.folder.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a program");
    path
}

fn started(session: &Session) -> Vec<String> {
    std::fs::read_to_string(session.folder.path().join("started")).unwrap_or_default().lines().map(str::to_owned).collect()
}

struct World {
    session: Session,
    client: Connection,
    _child: common::Process,
    _fake: Fake,
}

impl World {
    async fn new(script: &str) -> World {
        let session = Session::new();
        let chooser = chooser(&session, script);
        let shooter = program(&session, "shooter", "[ \"$1\" = screenshot ] && printf picture >\"$2\"");
        let child = session.start_with(&[&format!("--chooser={}", chooser.display()), &format!("--shooter={}", shooter.display())]);
        let client = session.connect().await;
        session.until_named(&client, SETTINGS.0).await;
        let fake = Fake::start(&session.socket(), 0, Manner::Usual);
        World { session, client, _child: child, _fake: fake }
    }

    /// The request that a token leads to, by which a program hears before it has the answer.
    async fn request(&self, token: &str) -> (String, Proxy<'static>) {
        let name = self.client.unique_name().unwrap().trim_start_matches(':').replace('.', "_");
        let path = format!("{}/request/{name}/{token}", SETTINGS.1);
        let builder: zbus::proxy::Builder<'_, Proxy<'_>> = zbus::proxy::Builder::new(&self.client);
        let builder = builder.destination(SETTINGS.0).unwrap().path(path.clone()).unwrap().interface("org.freedesktop.portal.Request").unwrap();
        (path, builder.cache_properties(zbus::proxy::CacheProperties::No).build().await.unwrap())
    }

    async fn ask(&self, method: &str, parent: &str, options: &Options<'_>) -> zbus::Result<OwnedObjectPath> {
        proxy(&self.client, CHOOSER).await.call(method, &(parent, "Which one?", options)).await
    }
}

async fn response(signals: &mut SignalStream<'_>) -> (u32, HashMap<String, OwnedValue>) {
    next(signals).await
}

fn texts(results: &HashMap<String, OwnedValue>, name: &str) -> Vec<String> {
    results[name].try_clone().unwrap().try_into().unwrap()
}

#[tokio::test]
async fn files_are_opened() {
    let world = World::new("printf '1\\0/tmp/a b.png\\0/tmp/\\303\\244\\0'").await;
    let (path, request) = world.request("one").await;
    let mut signals = request.receive_signal("Response").await.unwrap();
    let filter = |name: &str, pattern: &str| (name.to_owned(), vec![(0u32, pattern.to_owned())]);
    let choice = ("encoding".to_owned(), "Encoding".to_owned(), vec![("utf8".to_owned(), "Unicode".to_owned())], String::new());
    let options: Options<'_> = HashMap::from([
        ("handle_token", "one".into()),
        ("accept_label", "_Take".into()),
        ("multiple", true.into()),
        ("filters", vec![filter("All", "*"), filter("Pictures", "*.png")].into()),
        ("choices", vec![choice].into()),
        ("current_folder", b"/tmp\0".to_vec().into()),
        ("what nobody knows", vec![1u8, 2, 3].into()),
    ]);
    assert_eq!(world.ask("OpenFile", "wayland:handle-5", &options).await.unwrap().as_str(), path);
    let (status, results) = response(&mut signals).await;
    assert_eq!(status, 0);
    assert_eq!(texts(&results, "uris"), ["file:///tmp/a%20b.png", "file:///tmp/%C3%A4"]);
    let held: (String, Vec<(u32, String)>) = results["current_filter"].try_clone().unwrap().try_into().unwrap();
    assert_eq!(held, filter("Pictures", "*.png"));
    let choices: Vec<(String, String)> = results["choices"].try_clone().unwrap().try_into().unwrap();
    assert_eq!(choices, [("encoding".to_owned(), "utf8".to_owned())]);
    let wanted = ["wayland-test", "--choose=files", "--many", "--title=Which one?", "--accept=Take", "--filter=All", "*", "--filter=Pictures", "*.png", "--parent=handle-5", "--", "/tmp"];
    assert_eq!(started(&world.session), wanted);
    // The object has gone with its answer.
    assert!(timeout(LIMIT, async { while request.call::<_, _, ()>("Close", &()).await.is_ok() {} }).await.is_ok());
}

#[tokio::test]
async fn names_are_saved_by() {
    let world = World::new("for it; do case $it in --choose=save) printf '/tmp/new name.txt\\0';; --choose=folders) printf '%s\\0' \"$HOME\";; esac; done").await;
    let (_, request) = world.request("save").await;
    let mut signals = request.receive_signal("Response").await.unwrap();
    let options: Options<'_> = HashMap::from([("handle_token", "save".into()), ("current_name", "--new".into())]);
    world.ask("SaveFile", "", &options).await.unwrap();
    let (status, results) = response(&mut signals).await;
    assert_eq!((status, texts(&results, "uris")), (0, vec!["file:///tmp/new%20name.txt".to_owned()]));
    assert_eq!(started(&world.session), ["wayland-test", "--choose=save", "--title=Which one?", "--name=--new"]);

    // Several, of which one name is taken.
    let home = world.session.folder.path();
    std::fs::write(home.join("a.txt"), "").unwrap();
    let (_, request) = world.request("all").await;
    let mut signals = request.receive_signal("Response").await.unwrap();
    let options: Options<'_> = HashMap::from([("handle_token", "all".into()), ("files", vec![b"a.txt\0".to_vec(), b"b.txt\0".to_vec()].into())]);
    world.ask("SaveFiles", "", &options).await.unwrap();
    let (status, results) = response(&mut signals).await;
    let home = home.display();
    assert_eq!((status, texts(&results, "uris")), (0, vec![format!("file://{home}/a%20%282%29.txt"), format!("file://{home}/b.txt")]));
}

#[tokio::test]
async fn what_is_not_chosen_is_said() {
    for (script, wanted) in [("exit 1", 1), ("exit 3", 2), ("", 2), ("printf relative", 2)] {
        let world = World::new(script).await;
        let (_, request) = world.request("it").await;
        let mut signals = request.receive_signal("Response").await.unwrap();
        world.ask("OpenFile", "", &HashMap::from([("handle_token", "it".into())])).await.unwrap();
        let (status, results) = response(&mut signals).await;
        assert_eq!((status, results.len()), (wanted, 0), "{script}");
    }
}

#[tokio::test]
async fn requests_end_with_who_has_made_them() {
    let world = World::new("echo $$ >\"$HOME/pid\"; exec sleep 1000").await;
    let pid = world.session.folder.path().join("pid");
    let runs = || std::fs::read_to_string(&pid).ok().and_then(|it| it.trim().parse::<i32>().ok());
    // SAFETY: no signal is sent.
    let is_there = |pid: i32| unsafe { libc::kill(pid, 0) } == 0;

    // Taken back, by the program alone that has made it.
    let (path, request) = world.request("one").await;
    world.ask("OpenFile", "", &HashMap::from([("handle_token", "one".into())])).await.unwrap();
    until("it runs", || runs().is_some()).await;
    let first = runs().unwrap();
    let other = world.session.connect().await;
    let theirs: zbus::Result<()> = other.call_method(Some(SETTINGS.0), path.as_str(), Some("org.freedesktop.portal.Request"), "Close", &()).await.map(drop);
    assert!(is_called(&theirs, "org.freedesktop.DBus.Error.AccessDenied") && is_there(first));
    request.call::<_, _, ()>("Close", &()).await.unwrap();
    until("it has ended", || !is_there(first)).await;

    // Who made it has gone.
    std::fs::remove_file(&pid).unwrap();
    let portal = proxy(&other, CHOOSER).await;
    portal.call::<_, _, OwnedObjectPath>("OpenFile", &("", "", Options::new())).await.unwrap();
    until("it runs", || runs().is_some()).await;
    let second = runs().unwrap();
    drop(portal);
    other.close().await.unwrap();
    until("it has ended", || !is_there(second)).await;
}

#[tokio::test]
async fn bad_programs_are_borne() {
    let world = World::new("exec sleep 1000").await;
    for token in ["", "a/b", "a-b", &"x".repeat(65)] {
        assert!(is_called(&world.ask("OpenFile", "", &HashMap::from([("handle_token", token.into())])).await, "org.freedesktop.DBus.Error.InvalidArgs"), "{token}");
    }
    assert!(world.ask("OpenFile", "", &HashMap::from([("multiple", "yes".into())])).await.is_err(), "another type");
    for files in [vec![], vec![b"a/b\0".to_vec()], vec![b"..\0".to_vec()]] {
        assert!(is_called(&world.ask("SaveFiles", "", &HashMap::from([("files", files.into())])).await, "org.freedesktop.DBus.Error.InvalidArgs"));
    }
    // One name is for one request, and there is room for some windows only.
    world.ask("OpenFile", "", &HashMap::from([("handle_token", "twice".into())])).await.unwrap();
    assert!(world.ask("OpenFile", "", &HashMap::from([("handle_token", "twice".into())])).await.is_err());
    let mut is_full = false;
    for _ in 0..20 {
        is_full |= is_called(&world.ask("OpenFile", "", &Options::new()).await, "org.freedesktop.DBus.Error.LimitsExceeded");
    }
    assert!(is_full);
}

#[tokio::test]
async fn pictures_of_the_screen_are_taken() {
    let world = World::new("").await;
    for number in 1..3 {
        let token = format!("shot{number}");
        let (_, request) = world.request(&token).await;
        let mut signals = request.receive_signal("Response").await.unwrap();
        let options: Options<'_> = HashMap::from([("handle_token", token.as_str().into()), ("interactive", false.into())]);
        let _: OwnedObjectPath = proxy(&world.client, SHOOTER).await.call("Screenshot", &("", options)).await.unwrap();
        let (status, results) = response(&mut signals).await;
        let uri: String = results["uri"].try_clone().unwrap().try_into().unwrap();
        let path = world.session.folder.path().join(format!("Pictures/Screenshots/Screenshot for a program {number}.png"));
        assert_eq!((status, uri), (0, format!("file://{}", path.display().to_string().replace(' ', "%20"))));
        assert_eq!(std::fs::read(path).unwrap(), b"picture");
    }
    until("the user is told", || world._fake.shown().len() == 2).await;
    assert!(world._fake.shown()[0].1.title.contains("picture of the screen"));
}

/// Who does not wait for its picture leaves no file behind.
#[tokio::test]
async fn pictures_that_nobody_waits_for_are_not_kept() {
    let session = Session::new();
    let shooter = program(&session, "shooter", "echo begun >\"$HOME/begun\"; exec sleep 1000");
    let _child = session.start_with(&[&format!("--shooter={}", shooter.display())]);
    let client = session.connect().await;
    session.until_named(&client, SETTINGS.0).await;
    let _fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let other = session.connect().await;
    let portal = proxy(&other, SHOOTER).await;
    let _: OwnedObjectPath = portal.call("Screenshot", &("", Options::new())).await.unwrap();
    until("it runs", || session.folder.path().join("begun").exists()).await;
    let files = || std::fs::read_dir(session.folder.path().join("Pictures/Screenshots")).map_or(0, Iterator::count);
    assert_eq!(files(), 1);
    drop(portal);
    other.close().await.unwrap();
    until("its file has gone", || files() == 0).await;
}

/// A program that asks before there is a desktop is told that it fails.
#[tokio::test]
async fn there_may_be_no_desktop() {
    let session = Session::new();
    let _child = session.start_with(&["--chooser=/nowhere/at/all"]);
    let client = session.connect().await;
    session.until_named(&client, SETTINGS.0).await;
    let (bus, portal) = (client.clone(), proxy(&client, CHOOSER).await);
    let mut all = zbus::MessageStream::from(&bus);
    portal.call::<_, _, OwnedObjectPath>("OpenFile", &("", "", Options::new())).await.unwrap();
    let failed = async {
        loop {
            let message = all.next().await.expect("a message").expect("a message");
            if message.header().member().is_some_and(|it| it == "Response") {
                return message.body().deserialize::<(u32, HashMap<String, OwnedValue>)>().unwrap().0;
            }
        }
    };
    assert_eq!(timeout(Duration::from_secs(30), failed).await.unwrap(), 2);
}
