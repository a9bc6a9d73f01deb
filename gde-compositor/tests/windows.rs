//! Windows appear, are decorated, arranged and closed, by keys and by the pointer.

mod common;

use std::time::Duration;

use common::{Client, Fixture, client::Toplevel, key};
use gde_compositor::theme::TITLE_HEIGHT;
use gde_layout::Rect;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_toplevel_decoration_v1::Mode;
use wayland_protocols::xdg::shell::client::xdg_toplevel::State;

const RED: u32 = 0xffff_0000;
const GREEN: u32 = 0xff00_ff00;

/// A client with a decorated window of 600 x 400 in one colour.
fn with_window(fixture: &mut Fixture, pixel: u32) -> (Client, Toplevel) {
    let mut client = fixture.client();
    let window = client.toplevel();
    client.decorate(&window);
    window.toplevel.set_title("Test".into());
    window.surface.commit();
    fixture.sync(&mut client);
    assert_eq!(client.heard.size, Some((0, 0)), "the client chooses");
    client.show(&window.surface, 600, 400, pixel);
    fixture.sync(&mut client);
    fixture.settle();
    (client, window)
}

/// Takes the size that the compositor has told.
fn take_size(fixture: &mut Fixture, client: &mut Client, window: &Toplevel, pixel: u32) {
    fixture.sync(client);
    let (w, h) = client.heard.size.unwrap();
    client.show(&window.surface, w, h, pixel);
    fixture.sync(client);
    fixture.settle();
}

#[test]
fn a_window_is_decorated_and_drawn() {
    let mut fixture = Fixture::new();
    let (client, _window) = with_window(&mut fixture, RED);
    assert_eq!(client.heard.decoration, Some(Mode::ServerSide));
    let frame = fixture.frame_of_focus();
    assert_eq!((frame.w, frame.h), (600, 400 + TITLE_HEIGHT));
    let (x, y) = (frame.x as usize, frame.y as usize);
    assert_eq!(fixture.pixel(x + 300, y + 200), RED & 0xff_ffff);
    assert_eq!(fixture.pixel(x + 599, y + 435), RED & 0xff_ffff);
    let title = fixture.pixel(x + 300, y + 4);
    assert_eq!(title, gde_compositor::theme::colours().title_focused & 0xff_ffff);
    let wallpaper = fixture.pixel(5, 790);
    assert_ne!(wallpaper, RED & 0xff_ffff);
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let mut fixture = Fixture::new();
    let (mut client, window) = with_window(&mut fixture, RED);
    let before = fixture.headless().drawn_pixels;
    for _ in 0..20 {
        fixture.frame();
    }
    assert_eq!(fixture.headless().drawn_pixels, before);
    // A small change draws about as much.
    window.surface.attach(Some(&client.buffer(600, 400, GREEN)), 0, 0);
    window.surface.damage_buffer(10, 10, 20, 20);
    window.surface.frame(&client.qh, ());
    window.surface.commit();
    fixture.sync(&mut client);
    fixture.settle();
    fixture.sync(&mut client);
    let drawn = fixture.headless().drawn_pixels - before;
    assert!((400..=2000).contains(&drawn), "{drawn} pixels for 400");
    assert_eq!(client.heard.frames, 1);
}

#[test]
fn keys_go_to_the_focus_and_shortcuts_do_not() {
    let mut fixture = Fixture::new();
    let (mut client, _window) = with_window(&mut fixture, RED);
    client.bind::<WlSeat>().get_keyboard(&client.qh, ());
    fixture.sync(&mut client);
    assert!(client.heard.has_keyboard);
    fixture.press(key::A);
    fixture.release(key::A);
    fixture.sync(&mut client);
    assert_eq!(client.heard.keys, [(u32::from(key::A), true), (u32::from(key::A), false)]);
    client.heard.keys.clear();
    fixture.chord(key::SUPER, key::Q);
    fixture.sync(&mut client);
    assert!(client.heard.is_closed);
    assert!(client.heard.keys.iter().all(|(code, _)| *code != u32::from(key::Q)), "{:?}", client.heard.keys);
}

#[test]
fn arrows_snap_and_undo_takes_it_back() {
    let mut fixture = Fixture::new();
    let (mut client, window) = with_window(&mut fixture, RED);
    let start = fixture.frame_of_focus();
    fixture.chord(key::SUPER, key::LEFT);
    fixture.sync(&mut client);
    assert_eq!(client.heard.size, Some((640, 800 - TITLE_HEIGHT)));
    for state in [State::TiledLeft, State::TiledTop, State::TiledBottom, State::Activated] {
        assert!(client.heard.states.contains(&state), "{state:?}");
    }
    take_size(&mut fixture, &mut client, &window, RED);
    assert_eq!(fixture.pixel(0, 799), RED & 0xff_ffff);
    assert_eq!(fixture.pixel(639, 400), RED & 0xff_ffff);
    fixture.chord(key::SUPER, key::Z);
    take_size(&mut fixture, &mut client, &window, RED);
    assert_eq!(fixture.frame_of_focus(), start);
    assert!(!client.heard.states.contains(&State::TiledLeft));
}

#[test]
fn a_title_bar_moves_its_window_and_the_edge_snaps_it() {
    let mut fixture = Fixture::new();
    let (mut client, window) = with_window(&mut fixture, RED);
    let start = fixture.frame_of_focus();
    fixture.point(start.x + 100, start.y + 15);
    fixture.button(true);
    fixture.point(start.x + 150, start.y + 45);
    fixture.button(false);
    assert_eq!(fixture.frame_of_focus(), start.at(start.x + 50, start.y + 30));
    fixture.pass(Duration::from_secs(1));
    fixture.point(start.x + 150, start.y + 45);
    fixture.button(true);
    fixture.point(700, 300);
    fixture.point(1279, 400);
    fixture.button(false);
    take_size(&mut fixture, &mut client, &window, RED);
    assert_eq!(fixture.frame_of_focus(), Rect::new(640, 0, 640, 800));
}

#[test]
fn an_edge_resizes_its_window() {
    let mut fixture = Fixture::new();
    let (mut client, window) = with_window(&mut fixture, RED);
    let start = fixture.frame_of_focus();
    fixture.point(start.x - 3, start.y + 200);
    fixture.button(true);
    fixture.point(start.x - 53, start.y + 200);
    fixture.sync(&mut client);
    assert!(client.heard.states.contains(&State::Resizing));
    assert_eq!(client.heard.size, Some((650, 400)));
    // Like a terminal it takes a little less; its right edge stays.
    client.show(&window.surface, 645, 400, GREEN);
    fixture.sync(&mut client);
    fixture.button(false);
    fixture.sync(&mut client);
    client.show(&window.surface, 645, 400, GREEN);
    fixture.sync(&mut client);
    fixture.settle();
    let end = fixture.frame_of_focus();
    assert_eq!((end.right(), end.w), (start.right(), 645));
}

#[test]
fn buttons_and_double_clicks_of_the_title_bar() {
    let mut fixture = Fixture::new();
    let (mut client, window) = with_window(&mut fixture, RED);
    let start = fixture.frame_of_focus();
    for _ in 0..2 {
        fixture.point(start.x + 100, start.y + 15);
        fixture.button(true);
        fixture.button(false);
    }
    take_size(&mut fixture, &mut client, &window, RED);
    assert_eq!(fixture.frame_of_focus(), Rect::new(0, 0, 1280, 800));
    assert!(client.heard.states.contains(&State::Maximized));
    // The screen's corner is on the closing button.
    fixture.point(1279, 0);
    fixture.button(true);
    fixture.button(false);
    fixture.sync(&mut client);
    assert!(client.heard.is_closed);
}

#[test]
fn a_click_raises_and_alt_tab_switches() {
    let mut fixture = Fixture::new();
    let (mut first, _first_window) = with_window(&mut fixture, RED);
    first.bind::<WlSeat>().get_keyboard(&first.qh, ());
    let (mut second, _second_window) = with_window(&mut fixture, GREEN);
    second.bind::<WlSeat>().get_keyboard(&second.qh, ());
    let mut focus = |fixture: &mut Fixture| {
        fixture.sync(&mut first);
        fixture.sync(&mut second);
        (first.heard.has_keyboard, second.heard.has_keyboard)
    };
    assert_eq!(focus(&mut fixture), (false, true));
    fixture.chord(key::ALT, key::TAB);
    assert_eq!(focus(&mut fixture), (true, false));
    fixture.press(key::ALT);
    fixture.press(key::TAB);
    fixture.release(key::TAB);
    fixture.settle();
    assert!(fixture.gde.switcher.is_some(), "the switcher is shown while Alt is held");
    assert_eq!(focus(&mut fixture), (true, false), "nothing is switched before");
    fixture.release(key::ALT);
    assert_eq!(focus(&mut fixture), (false, true));
}

#[test]
fn workspaces_hide_windows() {
    let mut fixture = Fixture::new();
    let (mut client, _window) = with_window(&mut fixture, RED);
    let frame = fixture.frame_of_focus();
    let (x, y) = (frame.centre().x as usize, frame.centre().y as usize);
    fixture.chord(key::SUPER, key::TWO);
    assert_ne!(fixture.pixel(x, y), RED & 0xff_ffff);
    fixture.sync(&mut client);
    assert!(client.heard.states.contains(&State::Suspended));
    fixture.chord(key::SUPER, key::ONE);
    assert_eq!(fixture.pixel(x, y), RED & 0xff_ffff);
}

#[test]
fn the_overview_shows_windows_small_and_a_click_goes_to_one() {
    let mut fixture = Fixture::new();
    let (_first, _a) = with_window(&mut fixture, RED);
    let (_second, _b) = with_window(&mut fixture, GREEN);
    fixture.chord(key::SUPER, key::TAB);
    let count = |picture: &gde_raster::Pixmap, pixel: u32| picture.pixels().iter().filter(|it| **it == pixel).count();
    let picture = fixture.picture();
    assert!(count(&picture, RED) > 50_000 && count(&picture, GREEN) > 50_000, "both are seen whole");
    let red = picture.pixels().iter().position(|it| *it == RED).unwrap();
    fixture.point((red % 1280) as i32 + 20, (red / 1280) as i32 + 20);
    fixture.button(true);
    fixture.button(false);
    assert!(fixture.gde.overview.is_none());
    let frame = fixture.frame_of_focus();
    assert_eq!(fixture.pixel(frame.centre().x as usize, frame.centre().y as usize), RED & 0xff_ffff);
}

#[test]
fn super_alone_opens_the_launcher() {
    let mut fixture = Fixture::new();
    let (mut client, _window) = with_window(&mut fixture, RED);
    client.bind::<WlSeat>().get_keyboard(&client.qh, ());
    fixture.press(key::SUPER);
    fixture.release(key::SUPER);
    fixture.sync(&mut client);
    assert!(fixture.gde.launcher.is_some() && !client.heard.has_keyboard);
    client.heard.keys.clear();
    fixture.press(key::A);
    fixture.release(key::A);
    fixture.press(key::ESC);
    fixture.release(key::ESC);
    fixture.sync(&mut client);
    assert!(fixture.gde.launcher.is_none() && client.heard.has_keyboard);
    assert!(client.heard.keys.is_empty(), "the launcher's keys are not the client's: {:?}", client.heard.keys);
}

#[test]
fn the_pointer_gives_places_within_the_surface() {
    let mut fixture = Fixture::new();
    let (mut client, _window) = with_window(&mut fixture, RED);
    client.bind::<WlSeat>().get_pointer(&client.qh, ());
    fixture.sync(&mut client);
    let frame = fixture.frame_of_focus();
    fixture.point(frame.x + 20, frame.y + TITLE_HEIGHT + 30);
    fixture.button(true);
    fixture.button(false);
    fixture.sync(&mut client);
    let (x, y) = client.heard.pointer.unwrap();
    assert!((x - 20.0).abs() < 0.1 && (y - 30.0).abs() < 0.1, "{x} {y}");
    assert_eq!(client.heard.buttons, [true, false]);
    fixture.point(frame.x + 20, frame.y + 5);
    fixture.sync(&mut client);
    assert_eq!(client.heard.pointer, None, "the title bar is not the client's");
}
