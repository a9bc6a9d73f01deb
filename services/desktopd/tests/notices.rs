//! Notices of programs, over a real bus, at a compositor that is none.

mod common;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use common::compositor::{Fake, Manner};
use common::{LIMIT, NOTIFICATIONS, Session, Words, is_called, next, proxy, until};
use futures_lite::StreamExt;
use gde_ipc::{Notice, Reason, Urgency};
use tokio::time::timeout;
use zbus::zvariant::{StructureBuilder, Value};
use zbus::{Connection, Proxy};

const FAILED: &str = "org.freedesktop.DBus.Error.Failed";
const LIMITS: &str = "org.freedesktop.DBus.Error.LimitsExceeded";
const INVALID: &str = "org.freedesktop.DBus.Error.InvalidArgs";

fn action(key: &str, label: &str) -> (String, String) {
    (key.into(), label.into())
}

#[tokio::test]
async fn it_says_who_it_is() {
    let (session, _child, client) = Session::with_desktopd().await;
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let information: (String, String, String, String) = proxy.call("GetServerInformation", &()).await.unwrap();
    assert_eq!((information.1.as_str(), information.3.as_str()), ("GenAI OS", "1.2"));
    let capabilities: Vec<String> = proxy.call("GetCapabilities", &()).await.unwrap();
    assert_eq!(capabilities, ["actions", "body", "icon-static"]);
    let shape = session.dbus_send(&["--dest=org.freedesktop.Notifications", NOTIFICATIONS.1, "org.freedesktop.DBus.Introspectable.Introspect"]);
    for part in ["Notify", "CloseNotification", "GetCapabilities", "GetServerInformation", "NotificationClosed", "ActionInvoked", "ActivationToken", "a{sv}"] {
        assert!(shape.contains(part), "{part}: {shape}");
    }
}

#[tokio::test]
async fn notices_are_shown_and_replaced() {
    let (session, _child, client) = Session::with_desktopd().await;
    let fake = Fake::start(&session.socket(), 100, Manner::Usual);
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let mut closed = proxy.receive_signal("NotificationClosed").await.unwrap();
    let words = Words {
        app: "Mail",
        body: "<b>Ada</b> &lt;ada@x&gt;:\nhello",
        actions: vec!["default", "Open", "reply to", "Reply"],
        hints: HashMap::from([("urgency", Value::from(2u8)), ("transient", Value::from(true)), ("x-vendor", Value::from("y"))]),
        timeout: 9000,
        ..Words::new("A mail")
    };
    let first = words.notify(&proxy).await.unwrap();
    let wanted = Notice {
        app: "Mail".into(),
        title: "A mail".into(),
        body: "Ada <ada@x>:\nhello".into(),
        actions: vec![action("default", "Open"), action("0", "Reply")],
        urgency: Urgency::Critical,
        timeout_ms: Some(9000),
        picture: None,
    };
    assert_eq!(fake.shown(), [(101, wanted)]);
    let second = Words::new("Another").notify(&proxy).await.unwrap();
    assert!(first > 0 && second > 0 && first != second);
    assert_eq!(Words { replaces: first, timeout: 0, ..Words::new("Changed") }.notify(&proxy).await.unwrap(), first);
    let titles: Vec<(u32, String, Option<u32>)> = fake.shown().into_iter().map(|(id, it)| (id, it.title, it.timeout_ms)).collect();
    assert_eq!(titles, [(101, "Changed".into(), Some(0)), (102, "Another".into(), None)]);
    // One that is gone is shown anew, by the number that its program knows.
    fake.close(101, Reason::Expired);
    assert_eq!(next::<(u32, u32)>(&mut closed).await, (first, 1));
    assert_eq!(Words { replaces: first, ..Words::new("Again") }.notify(&proxy).await.unwrap(), first);
    fake.close(103, Reason::Dismissed);
    assert_eq!(next::<(u32, u32)>(&mut closed).await, (first, 2));
    proxy.call::<_, _, ()>("CloseNotification", &second).await.unwrap();
    assert_eq!(next::<(u32, u32)>(&mut closed).await, (second, 3));
    assert_eq!(fake.shown(), []);
    for unknown in [second, 0, u32::MAX] {
        let result: zbus::Result<()> = proxy.call("CloseNotification", &unknown).await;
        assert!(is_called(&result, INVALID), "{result:?}");
    }
    // Without notices nobody asks the compositor to tell of windows.
    until("the connection ends", || !fake.has_listeners()).await;
}

#[tokio::test]
async fn actions_are_told_of() {
    let (session, _child, client) = Session::with_desktopd().await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let mut invoked = proxy.receive_signal("ActionInvoked").await.unwrap();
    let mut closed = proxy.receive_signal("NotificationClosed").await.unwrap();
    let mut tokens = proxy.receive_signal("ActivationToken").await.unwrap();
    let words = Words { actions: vec!["default", "Open", "0", "Number nought", "x y;z", "Odd"], ..Words::new("Choose") };
    for (index, (chosen, key)) in [("default", "default"), ("0", "0"), ("1", "x y;z")].into_iter().enumerate() {
        let id = words.notify(&proxy).await.unwrap();
        let number = index as u32 + 1;
        fake.act(number, chosen);
        assert_eq!(next::<(u32, String)>(&mut tokens).await, (id, format!("token-{number}")));
        assert_eq!(next::<(u32, String)>(&mut invoked).await, (id, key.to_owned()));
        assert_eq!(next::<(u32, u32)>(&mut closed).await, (id, 2));
    }
    // Actions that were never offered, and others' notices, are no matter.
    for (number, odd) in (4..).zip(["7", "-1", "", "x y;z"]) {
        let id = words.notify(&proxy).await.unwrap();
        fake.act(number + 1000, "0");
        fake.act(number, odd);
        assert_eq!(next::<(u32, u32)>(&mut closed).await, (id, 2));
    }
    let id = words.notify(&proxy).await.unwrap();
    fake.act(8, "default");
    assert_eq!(next::<(u32, String)>(&mut invoked).await, (id, "default".to_owned()), "nothing else was told");
}

#[tokio::test]
async fn pictures_are_made_small() {
    let (session, _child, client) = Session::with_desktopd().await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let apps = session.folder.path().join("data/icons/hicolor/scalable/apps");
    std::fs::create_dir_all(&apps).unwrap();
    std::fs::write(apps.join("mail.svg"), r##"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="#0000ff"/></svg>"##).unwrap();
    let pixels = || StructureBuilder::new().add_field(96).add_field(96).add_field(288).add_field(false).add_field(8).add_field(3).add_field([9u8, 8, 7].repeat(96 * 96)).build().unwrap();
    let given = HashMap::from([("image-data", Value::from(pixels())), ("image-path", "mail".into())]);
    let named = HashMap::from([("image-path", Value::from("mail")), ("icon_data", pixels().into())]);
    let old = HashMap::from([("image-path", Value::from("no such thing")), ("icon_data", pixels().into())]);
    for (hints, wanted) in [(given, [9, 8, 7, 255]), (named, [0, 0, 255, 255]), (old, [9, 8, 7, 255])] {
        Words { hints, ..Words::new("With a picture") }.notify(&proxy).await.unwrap();
        let picture = fake.shown().pop().unwrap().1.picture.expect("a picture");
        assert_eq!((picture.width(), picture.height()), (48, 48));
        assert!(picture.pixels().chunks(4).all(|it| it == wanted), "{wanted:?}");
    }
    let hints = HashMap::from([("image-path", Value::from("/dev/zero"))]);
    Words { hints, ..Words::new("Without") }.notify(&proxy).await.unwrap();
    assert_eq!(fake.shown().pop().unwrap().1.picture, None);
}

/// A notice that goes before its program knows its number is told of all the same.
#[tokio::test]
async fn events_may_come_before_answers() {
    let (session, _child, client) = Session::with_desktopd().await;
    let _fake = Fake::start(&session.socket(), 0, Manner::ClosesAtOnce);
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let mut closed = proxy.receive_signal("NotificationClosed").await.unwrap();
    for _ in 0..3 {
        let id = Words::new("Short").notify(&proxy).await.unwrap();
        assert_eq!(next::<(u32, u32)>(&mut closed).await, (id, 1));
    }
}

#[tokio::test]
async fn bad_programs_are_borne() {
    let (session, child, client) = Session::with_desktopd().await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let huge = "<b>\u{1}&\"é".repeat(1 << 20);
    let pixels = StructureBuilder::new().add_field(i32::MAX).add_field(-1).add_field(0).add_field(true).add_field(-8).add_field(99).add_field(vec![1u8; 1 << 24]);
    let deep = (0..30).fold(Value::from(1u8), |inner, _| Value::Value(Box::new(inner)));
    let hints = HashMap::from([
        ("image-data", Value::from(pixels.build().unwrap())),
        ("urgency", Value::from(huge.as_str())),
        ("desktop-entry", Value::from(HashMap::from([("a", vec![1.5f64; 1 << 16])]))),
        ("deep", deep),
        (huge.as_str(), Value::from(true)),
    ]);
    let words = Words { app: &huge, replaces: 4_000_000_000, body: &huge, actions: vec!["a"; 10_001], hints, timeout: i32::MIN, ..Words::new(&huge) };
    assert_eq!(words.notify(&proxy).await.unwrap(), 4_000_000_000);
    let (_, shown) = fake.shown().pop().unwrap();
    assert!(shown.title.chars().count() <= 200 && shown.body.chars().count() <= 1000 && shown.actions.len() <= 8, "{shown:?}");
    assert_eq!((shown.urgency, shown.timeout_ms), (Urgency::Normal, None));
    for bad in [client.call_method(Some(NOTIFICATIONS.0), NOTIFICATIONS.1, Some(NOTIFICATIONS.2), "Notify", &("x", 1u32)).await, proxy.call_method("Nothing", &()).await] {
        assert!(bad.is_err());
    }
    assert!(fake.longest() < 32 << 10, "a line of {} bytes", fake.longest());
    assert!(Words::new("Usual").notify(&proxy).await.is_ok());
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.0.id())).unwrap();
    let peak: usize = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 400 << 10, "{peak} KiB");
}

/// Sends many at once; how many were shown, and what the others were told.
async fn flood(client: &Connection, proxy: &Proxy<'_>, count: usize) -> (usize, Vec<String>) {
    let empty: HashMap<&str, Value<'_>> = HashMap::new();
    let mut replies = zbus::MessageStream::from(client);
    let mut serials = std::collections::HashSet::new();
    for _ in 0..count {
        let message = zbus::Message::method_call(proxy.path(), "Notify").unwrap().destination(proxy.destination()).unwrap().interface(proxy.interface()).unwrap();
        let message = message.build(&("flood", 0u32, "", "Many", "", Vec::<&str>::new(), &empty, -1)).unwrap();
        serials.insert(message.primary_header().serial_num());
        client.send(&message).await.unwrap();
    }
    let (mut shown, mut refused) = (0, Vec::new());
    while !serials.is_empty() {
        let reply = timeout(LIMIT, replies.next()).await.expect("an answer to each").unwrap().unwrap();
        if reply.header().reply_serial().is_some_and(|serial| serials.remove(&serial)) {
            match reply.header().error_name() {
                None => shown += 1,
                Some(name) => refused.push(name.to_string()),
            }
        }
    }
    (shown, refused)
}

#[tokio::test]
async fn floods_are_held_back() {
    let (session, _child, client) = Session::with_desktopd().await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let other = session.connect().await;
    let other = proxy(&other, NOTIFICATIONS).await;
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let start = Instant::now();
    let (shown, refused) = flood(&client, &proxy, 3000).await;
    let most = 50 + (start.elapsed().as_secs_f64() * 20.0) as usize + 1;
    assert!((1..=most).contains(&shown) && refused.len() == 3000 - shown, "{shown} shown");
    assert!(refused.iter().all(|it| it == LIMITS), "{refused:?}");
    assert_eq!(fake.shown().len(), shown);
    // One that floods takes nothing from another one.
    assert!(Words::new("Heard").notify(&other).await.is_ok());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(Words::new("Heard again").notify(&proxy).await.is_ok());
}

#[tokio::test]
async fn the_compositor_may_go_and_come() {
    let (session, _child, client) = Session::with_desktopd().await;
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let mut closed = proxy.receive_signal("NotificationClosed").await.unwrap();
    let start = Instant::now();
    let answer = Words::new("Early").notify(&proxy).await;
    assert!(is_called(&answer, FAILED) && format!("{answer:?}").contains("gde.socket"), "{answer:?}");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());

    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let ids = [Words::new("One").notify(&proxy).await.unwrap(), Words::new("Two").notify(&proxy).await.unwrap()];
    fake.die();
    let mut gone = [next::<(u32, u32)>(&mut closed).await, next::<(u32, u32)>(&mut closed).await];
    gone.sort_unstable();
    assert_eq!(gone, ids.map(|id| (id, 4)));
    // What is said while there is none is shown by the next one.
    let path = session.socket();
    let next_one = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(1));
        Fake::start(&path, 0, Manner::Usual)
    });
    let late = Words::new("Late").notify(&proxy).await.unwrap();
    let next_one = next_one.await.unwrap();
    assert!(!ids.contains(&late), "numbers outlive the compositor");
    assert_eq!(next_one.shown().len(), 1);
    next_one.close(1, Reason::Expired);
    assert_eq!(next::<(u32, u32)>(&mut closed).await, (late, 1));
}

/// Whom the compositor tells nothing more knows nothing more: what is still shown is taken away.
#[tokio::test]
async fn lost_events_end_notices() {
    let (session, _child, client) = Session::with_desktopd().await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let mut closed = proxy.receive_signal("NotificationClosed").await.unwrap();
    let id = Words::new("One").notify(&proxy).await.unwrap();
    fake.drop_listeners();
    assert_eq!(next::<(u32, u32)>(&mut closed).await, (id, 4));
    until("it is taken away", || fake.shown().is_empty()).await;
    assert!(Words::new("Two").notify(&proxy).await.is_ok());
}

#[tokio::test]
async fn a_compositor_that_hangs_holds_nobody_up() {
    let (session, _child, client) = Session::with_desktopd().await;
    let fake = Fake::start(&session.socket(), 0, Manner::Hangs);
    let proxy = proxy(&client, NOTIFICATIONS).await;
    let start = Instant::now();
    let words = Words::new("Nobody listens");
    let both = futures_lite::future::zip(words.notify(&proxy), words.notify(&proxy)).await;
    assert!(is_called(&both.0, FAILED) && is_called(&both.1, FAILED), "{both:?}");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    fake.die();
    let _next_one = Fake::start(&session.socket(), 0, Manner::Usual);
    assert!(words.notify(&proxy).await.is_ok());
}
