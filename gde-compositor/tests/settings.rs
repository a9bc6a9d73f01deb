//! The user's settings hold as soon as their file is changed.

mod common;

use std::time::{Duration, Instant};

use common::Fixture;
use desktop_settings::{Colour, Display, Keyboard, Scheme, Settings, Size};
use gde_compositor::theme::colours;
use gde_layout::Rect;
use smithay::input::keyboard::{Keycode, Keysym};

/// What the key does that is Q on an American keyboard.
fn q(fixture: &mut Fixture) -> Vec<Keysym> {
    let keyboard = fixture.gde.keyboard.clone();
    keyboard.with_xkb_state(&mut fixture.gde, |context| {
        let xkb = context.xkb().lock().unwrap();
        let layout = xkb.active_layout();
        xkb.raw_syms_for_key_in_layout(Keycode::new(24), layout).to_vec()
    })
}

#[test]
fn colours_and_layouts_follow_the_file() {
    let folder = std::env::temp_dir().join(format!("gde-settings-{}", std::process::id()));
    let path = folder.join("desktop.toml");
    let mut fixture = Fixture::new();
    fixture.gde.follow_settings(&path);
    assert_eq!(q(&mut fixture), [Keysym::q]);
    let dark = colours();
    let changed = Settings::change(&path, |it| {
        it.appearance.scheme = Scheme::Light;
        it.appearance.accent = Colour(0x12_3456);
        it.appearance.animations = false;
        it.keyboard = Some(Keyboard { layout: "fr".into(), ..Keyboard::default() });
    });
    changed.unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while colours() == dark {
        assert!(Instant::now() < limit, "nobody hears of it");
        fixture.dispatch();
    }
    assert_eq!(colours().accent, 0xff12_3456);
    assert_eq!(q(&mut fixture), [Keysym::a]);
    assert!(!fixture.gde.has_animations);
    // What is not understood changes nothing, and what is gone is as if it had never been.
    std::fs::write(&path, "[appearance").unwrap();
    fixture.dispatch();
    assert_eq!(colours().accent, 0xff12_3456);
    std::fs::remove_dir_all(&folder).unwrap();
    while colours() != dark {
        assert!(Instant::now() < limit, "nobody hears of it");
        fixture.dispatch();
    }
    assert_eq!(q(&mut fixture), [Keysym::q]);
}

#[test]
fn a_layout_that_is_none_changes_nothing() {
    let mut fixture = Fixture::new();
    fixture.gde.apply_settings(&Settings { keyboard: Some(Keyboard { layout: "surely-none".into(), ..Keyboard::default() }), ..Settings::default() });
    assert_eq!(q(&mut fixture), [Keysym::q]);
}

#[test]
fn screens_have_the_sizes_that_are_wanted() {
    let mut fixture = Fixture::new();
    let size = |fixture: &Fixture| fixture.gde.screen_rect(&fixture.gde.screens[0]);
    let small = Size { width: 1024, height: 768 };
    fixture.gde.set_mode("TEST-1", small).unwrap();
    fixture.settle();
    assert_eq!(size(&fixture), Rect::new(0, 0, 1024, 768));
    let picture = fixture.picture();
    assert_eq!((picture.width(), picture.height()), (1024, 768));
    assert!(fixture.gde.set_mode("TEST-1", Size { width: 3, height: 3 }).is_err());
    assert!(fixture.gde.set_mode("TEST-2", small).is_err());
    assert_eq!(size(&fixture), Rect::new(0, 0, 1024, 768));
    // Settings that say nothing of it bring the screen's own size back; others theirs.
    fixture.gde.apply_settings(&Settings { displays: [("TEST-1".to_owned(), Display { size: Some(Size { width: 800, height: 600 }), ..Display::default() })].into(), ..Settings::default() });
    fixture.settle();
    assert_eq!(size(&fixture), Rect::new(0, 0, 800, 600));
    fixture.gde.apply_settings(&Settings::default());
    fixture.settle();
    assert_eq!(size(&fixture), Rect::new(0, 0, 1280, 800));
}
