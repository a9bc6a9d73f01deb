//! Programs' pictures at the right of the panel.

mod common;

use std::io::BufRead;

use common::{Fixture, ask, connect};
use gde_ipc::{Answer, Event, Picture, Request, TrayButton, TrayItem};

const GREEN: u32 = 0x20_c040;

fn item(id: u32, size: u32) -> TrayItem {
    TrayItem { id, title: format!("item {id}"), picture: Picture::new(size, size, [0x20, 0xc0, 0x40, 0xff].repeat((size * size) as usize)).unwrap() }
}

/// Columns of the panel's middle with a picture.
fn seen(fixture: &mut Fixture) -> Vec<usize> {
    fixture.settle();
    let picture = fixture.picture();
    (0..1280).filter(|x| picture.pixels()[15 * 1280 + x] & 0xff_ffff == GREEN).collect()
}

#[test]
fn pictures_are_shown_and_clicked_on() {
    let mut fixture = Fixture::new();
    fixture.gde.panel.is_shown = true;
    let mut listener = connect(&mut fixture);
    assert_eq!(ask(&mut fixture, &mut listener, &Request::Events), Answer::Done);
    let mut owner = connect(&mut fixture);
    assert_eq!(ask(&mut fixture, &mut owner, &Request::ShowTray { items: vec![item(7, 20), item(9, 16)] }), Answer::Done);
    let columns = seen(&mut fixture);
    assert_eq!(columns.len(), 36);
    let mut other = connect(&mut fixture);
    assert_eq!(ask(&mut fixture, &mut other, &Request::Tray), Answer::Tray { titles: vec!["item 7".into(), "item 9".into()] });
    for (x, id) in [(columns[2], 7), (columns[33], 9)] {
        fixture.point(x as i32, 15);
        fixture.button(true);
        fixture.button(false);
        let clicked = loop {
            let mut line = String::new();
            listener.read_line(&mut line).unwrap();
            match serde_json::from_str(&line).unwrap() {
                Event::Windows { .. } => {}
                event => break event,
            }
        };
        assert_eq!(clicked, Event::TrayClicked { id, button: TrayButton::Left, x: x as i32, y: 15 });
    }
    // The pointer would be seen instead.
    fixture.point(600, 400);
    // What is wrong changes nothing; who only asks ends without taking them along.
    for items in [(0..17).map(|id| item(id, 1)).collect(), vec![item(1, 21)]] {
        assert!(matches!(ask(&mut fixture, &mut owner, &Request::ShowTray { items }), Answer::Failed { .. }));
    }
    drop(other);
    fixture.dispatch();
    assert_eq!(seen(&mut fixture), columns);
    drop(owner);
    fixture.dispatch();
    assert_eq!(seen(&mut fixture), [0; 0]);
    let mut owner = connect(&mut fixture);
    assert_eq!(ask(&mut fixture, &mut owner, &Request::ShowTray { items: (0..16).map(|id| item(id, 20)).collect() }), Answer::Done);
    assert_eq!(seen(&mut fixture).len(), 320);
}
