//! Protocols beside windows.

mod common;

use common::{Fixture, key};
use wayland_client::protocol::{wl_output::WlOutput, wl_seat::WlSeat, wl_shm, wl_subcompositor::WlSubcompositor};
use wayland_protocols::ext::session_lock::v1::client::ext_session_lock_manager_v1::ExtSessionLockManagerV1;
use wayland_protocols::wp::presentation_time::client::wp_presentation::WpPresentation;
use wayland_protocols::wp::single_pixel_buffer::v1::client::wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1;
use wayland_protocols::wp::viewporter::client::wp_viewporter::WpViewporter;
use wayland_protocols::xdg::shell::client::xdg_positioner::{Anchor, ConstraintAdjustment, Gravity, XdgPositioner};
use wayland_protocols::xdg::shell::client::xdg_wm_base::XdgWmBase;
use wayland_protocols_wlr::foreign_toplevel::v1::client::{zwlr_foreign_toplevel_handle_v1::State as Listed, zwlr_foreign_toplevel_manager_v1::ZwlrForeignToplevelManagerV1};
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_shell_v1::{Layer, ZwlrLayerShellV1};
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_surface_v1::Anchor as LayerAnchor;
use wayland_protocols_wlr::screencopy::v1::client::zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1;

const RED: u32 = 0xffff_0000;
const BLUE: u32 = 0xff00_00ff;

/// What foreign programs rely on.
#[test]
fn globals_are_there() {
    let mut fixture = Fixture::new();
    let client = fixture.client();
    for name in [
        "wl_compositor", "wl_subcompositor", "wl_shm", "wl_seat", "wl_output", "wl_data_device_manager", "xdg_wm_base", "zxdg_decoration_manager_v1",
        "zxdg_output_manager_v1", "zwlr_layer_shell_v1", "wp_viewporter", "wp_fractional_scale_manager_v1", "wp_presentation", "wp_single_pixel_buffer_manager_v1",
        "wp_cursor_shape_manager_v1", "zwp_primary_selection_device_manager_v1", "zwlr_data_control_manager_v1", "ext_data_control_manager_v1",
        "zwp_text_input_manager_v3", "zwp_input_method_manager_v2", "zwp_virtual_keyboard_manager_v1", "zwp_pointer_gestures_v1", "zwp_relative_pointer_manager_v1",
        "zwp_pointer_constraints_v1", "ext_idle_notifier_v1", "zwp_idle_inhibit_manager_v1", "ext_session_lock_manager_v1", "xdg_activation_v1",
        "ext_foreign_toplevel_list_v1", "zwlr_screencopy_manager_v1", "wp_security_context_manager_v1", "zxdg_exporter_v2", "zxdg_importer_v2", "zwlr_foreign_toplevel_manager_v1",
    ] {
        assert!(client.heard.globals.contains_key(name), "no {name}");
    }
}

#[test]
fn one_pixel_is_scaled_to_a_window() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    let buffer = client.bind::<WpSinglePixelBufferManagerV1>().create_u32_rgba_buffer(0, 0, u32::MAX, u32::MAX, &client.qh, ());
    client.bind::<WpViewporter>().get_viewport(&window.surface, &client.qh, ()).set_destination(300, 200);
    window.surface.attach(Some(&buffer), 0, 0);
    client.bind::<WpPresentation>().feedback(&window.surface, &client.qh, ());
    window.surface.commit();
    fixture.sync(&mut client);
    fixture.settle();
    fixture.sync(&mut client);
    let frame = fixture.frame_of_focus();
    assert_eq!((frame.w, frame.h), (300, 200), "without a decoration the frame is the content");
    assert_eq!(fixture.pixel(frame.x as usize + 299, frame.y as usize + 199), BLUE & 0xff_ffff);
    assert_eq!((client.heard.presented, client.heard.discarded), (1, 0));
}

#[test]
fn a_viewport_crops_and_scales() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    let (buffer, mut file) = client.file_buffer(4, 2, RED, wl_shm::Format::Xrgb8888);
    // The right half is blue, and the alpha byte of this format means nothing.
    use std::io::{Seek, SeekFrom, Write};
    for row in 0..2 {
        file.seek(SeekFrom::Start(row * 16 + 8)).unwrap();
        file.write_all(&[0xff, 0, 0, 0, 0xff, 0, 0, 0]).unwrap();
    }
    let viewport = client.bind::<WpViewporter>().get_viewport(&window.surface, &client.qh, ());
    viewport.set_source(2.0, 0.0, 2.0, 2.0);
    viewport.set_destination(400, 300);
    window.surface.attach(Some(&buffer), 0, 0);
    window.surface.commit();
    fixture.sync(&mut client);
    let frame = fixture.frame_of_focus();
    assert_eq!((frame.w, frame.h), (400, 300));
    assert_eq!(fixture.pixel(frame.x as usize + 200, frame.y as usize + 150), BLUE & 0xff_ffff);
}

#[test]
fn subsurfaces_are_drawn_with_their_parent() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    let child = client.surface();
    let sub = client.bind::<WlSubcompositor>().get_subsurface(&child, &window.surface, &client.qh, ());
    sub.set_position(50, 60);
    client.show(&child, 20, 20, BLUE);
    client.show(&window.surface, 200, 200, RED);
    fixture.sync(&mut client);
    let frame = fixture.frame_of_focus();
    let (x, y) = (frame.x as usize, frame.y as usize);
    assert_eq!(fixture.pixel(x + 60, y + 70), BLUE & 0xff_ffff);
    assert_eq!(fixture.pixel(x + 40, y + 70), RED & 0xff_ffff);
}

#[test]
fn popups_stay_on_the_screen() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 600, 400, RED);
    fixture.sync(&mut client);
    let focus = fixture.gde.layout.focus().unwrap();
    fixture.gde.layout.set_frame(focus, gde_layout::Rect::new(680, 400, 600, 400));
    fixture.gde.layout_changed();
    let base = client.bind::<XdgWmBase>();
    let positioner: XdgPositioner = base.create_positioner(&client.qh, ());
    positioner.set_size(100, 80);
    positioner.set_anchor_rect(590, 390, 5, 5);
    positioner.set_anchor(Anchor::BottomRight);
    positioner.set_gravity(Gravity::BottomRight);
    positioner.set_constraint_adjustment(ConstraintAdjustment::SlideX | ConstraintAdjustment::SlideY);
    let surface = client.surface();
    let xdg = base.get_xdg_surface(&surface, &client.qh, ());
    let popup = xdg.get_popup(Some(&window.xdg_surface), &positioner, &client.qh, ());
    surface.commit();
    fixture.sync(&mut client);
    assert_eq!(client.heard.popup, Some((500, 320, 100, 80)), "at the screen's corner");
    client.show(&surface, 100, 80, BLUE);
    fixture.sync(&mut client);
    assert_eq!(fixture.pixel(1279, 799), BLUE & 0xff_ffff);
    popup.destroy();
    xdg.destroy();
    fixture.sync(&mut client);
    assert_eq!(fixture.pixel(1279, 799), RED & 0xff_ffff);
}

#[test]
fn a_panel_takes_room_from_windows() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    let surface = client.surface();
    let layer = client.bind::<ZwlrLayerShellV1>().get_layer_surface(&surface, None, Layer::Top, "panel".into(), &client.qh, ());
    layer.set_anchor(LayerAnchor::Top | LayerAnchor::Left | LayerAnchor::Right);
    layer.set_size(0, 40);
    layer.set_exclusive_zone(40);
    surface.commit();
    fixture.sync(&mut client);
    assert_eq!(client.heard.layer_size, Some((1280, 40)));
    client.show(&surface, 1280, 40, BLUE);
    fixture.sync(&mut client);
    assert_eq!(fixture.pixel(600, 39), BLUE & 0xff_ffff);
    assert_eq!(fixture.gde.layout.areas()[0].usable, gde_layout::Rect::new(0, 40, 1280, 760));
    layer.destroy();
    fixture.sync(&mut client);
    assert_eq!(fixture.gde.layout.areas()[0].usable.y, 0);
}

#[test]
fn a_locked_session_shows_nothing_and_takes_no_keys() {
    let mut fixture = Fixture::new();
    let mut owner = fixture.client();
    let window = owner.toplevel();
    window.surface.commit();
    fixture.sync(&mut owner);
    owner.show(&window.surface, 1280, 800, RED);
    owner.bind::<WlSeat>().get_keyboard(&owner.qh, ());
    fixture.sync(&mut owner);
    let mut locker = fixture.client();
    let lock = locker.bind::<ExtSessionLockManagerV1>().lock(&locker.qh, ());
    let surface = locker.surface();
    lock.get_lock_surface(&surface, &locker.bind::<WlOutput>(), &locker.qh, ());
    fixture.sync(&mut locker);
    assert!(locker.heard.is_locked);
    assert_eq!(locker.heard.lock_size, Some((1280, 800)));
    assert_eq!(fixture.pixel(640, 400), 0, "nothing shows before the lock has drawn");
    locker.show(&surface, 1280, 800, BLUE);
    fixture.sync(&mut locker);
    assert_eq!(fixture.pixel(640, 400), BLUE & 0xff_ffff);
    fixture.press(key::A);
    fixture.release(key::A);
    fixture.chord(key::SUPER, key::Q);
    fixture.sync(&mut owner);
    assert!(owner.heard.keys.is_empty() && !owner.heard.is_closed && !owner.heard.has_keyboard);
    // The locker dies: the session stays locked. Each of its objects keeps its connection.
    drop((surface, lock, locker));
    fixture.dispatch();
    fixture.dispatch();
    assert!(fixture.gde.lock.is_locked && fixture.gde.lock.own.is_some(), "ours takes its place");
    assert!(![RED & 0xff_ffff, BLUE & 0xff_ffff].contains(&fixture.pixel(640, 400)));
    let mut other = fixture.client();
    let lock = other.bind::<ExtSessionLockManagerV1>().lock(&other.qh, ());
    fixture.sync(&mut other);
    lock.unlock_and_destroy();
    fixture.sync(&mut other);
    assert_eq!(fixture.pixel(640, 400), RED & 0xff_ffff);
}

#[test]
fn a_picture_of_the_screen_is_what_it_shows() {
    let mut fixture = Fixture::new();
    let mut client = fixture.client();
    let frame = client.bind::<ZwlrScreencopyManagerV1>().capture_output(0, &client.bind::<WlOutput>(), &client.qh, ());
    fixture.sync(&mut client);
    assert_eq!(client.heard.copy_size, Some((1280, 800)));
    let (buffer, file) = client.file_buffer(1280, 800, 0, wl_shm::Format::Xrgb8888);
    frame.copy(&buffer);
    fixture.sync(&mut client);
    assert_eq!(client.heard.copy, Some(true));
    use std::os::unix::fs::FileExt;
    let mut pixel = [0; 4];
    file.read_exact_at(&mut pixel, (700 * 1280 + 900) * 4).unwrap();
    assert_eq!(u32::from_le_bytes(pixel) & 0xff_ffff, fixture.pixel(900, 700));
}

#[test]
fn a_taskbar_lists_windows_and_acts_on_them() {
    let mut fixture = Fixture::new();
    let mut bar = fixture.client();
    let manager = bar.bind::<ZwlrForeignToplevelManagerV1>();
    bar.bind::<WlOutput>();
    let mut owner = fixture.client();
    let window = owner.toplevel();
    window.toplevel.set_title("First".into());
    window.toplevel.set_app_id("org.test".into());
    window.surface.commit();
    fixture.sync(&mut owner);
    owner.show(&window.surface, 300, 200, RED);
    fixture.sync(&mut owner);
    fixture.sync(&mut bar);
    let listed = bar.heard.listed.clone();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].title.as_str(), listed[0].app_id.as_str(), listed[0].outputs), ("First", "org.test", 1));
    assert_eq!(listed[0].states, [Listed::Activated as u32]);
    listed[0].handle.set_maximized();
    fixture.sync(&mut bar);
    fixture.sync(&mut bar);
    assert_eq!(bar.heard.listed[0].states, [Listed::Maximized as u32, Listed::Activated as u32]);
    fixture.sync(&mut owner);
    assert_eq!(owner.heard.size.map(|size| size.0), Some(1280));
    listed[0].handle.unset_maximized();
    listed[0].handle.set_minimized();
    window.toplevel.set_title("Second".into());
    owner.flush();
    fixture.sync(&mut bar);
    fixture.sync(&mut bar);
    assert_eq!(bar.heard.listed[0].states, [Listed::Minimized as u32]);
    assert_eq!(bar.heard.listed[0].title, "Second");
    listed[0].handle.activate(&bar.bind::<WlSeat>());
    fixture.sync(&mut bar);
    fixture.sync(&mut bar);
    assert_eq!(bar.heard.listed[0].states, [Listed::Activated as u32]);
    listed[0].handle.close();
    fixture.sync(&mut bar);
    fixture.sync(&mut owner);
    assert!(owner.heard.is_closed);
    // One that is given back does not come again.
    let done = bar.heard.listed[0].done;
    listed[0].handle.destroy();
    window.toplevel.set_title("Third".into());
    owner.flush();
    fixture.sync(&mut bar);
    fixture.sync(&mut bar);
    assert_eq!((bar.heard.listed.len(), bar.heard.listed[0].done), (1, done));
    manager.stop();
    fixture.sync(&mut bar);
    assert!(bar.heard.list_is_finished && !bar.is_dead());
}

#[test]
fn a_taskbar_hears_that_a_window_is_gone() {
    let mut fixture = Fixture::new();
    let mut owner = fixture.client();
    let window = owner.toplevel();
    window.surface.commit();
    fixture.sync(&mut owner);
    owner.show(&window.surface, 300, 200, RED);
    fixture.sync(&mut owner);
    let mut bar = fixture.client();
    bar.bind::<ZwlrForeignToplevelManagerV1>();
    fixture.sync(&mut bar);
    fixture.sync(&mut bar);
    assert_eq!(bar.heard.listed.len(), 1);
    window.toplevel.destroy();
    window.xdg_surface.destroy();
    fixture.sync(&mut owner);
    fixture.sync(&mut bar);
    assert!(bar.heard.listed[0].is_closed);
    bar.heard.listed[0].handle.set_rectangle(&bar.surface(), 0, 0, -1, 5);
    fixture.sync(&mut bar);
    assert!(bar.is_dead(), "a negative size is an error");
}
