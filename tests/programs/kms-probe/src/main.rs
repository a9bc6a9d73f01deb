//! Kernel mode setting as a program sees it. What is printed is the same on every kernel; with the argument `hold` the last picture stays until the
//! program is killed; with `vt` virtual terminals are looked at instead. Its pixels are `picture` below, which the test knows too.

mod card;
mod vt;

use card::{Canvas, Card};
use drm::uapi::{
    Cap, CardRes, Crtc, Cursor, EventVblank, FbDirty, GetConnector, GetEncoder, Id, ModeInfo, ObjGetProperties, PageFlip, Version, call, cap,
    client_cap, connection, cursor, event, flip, object,
};
use std::io::{self, Read};
use std::time::{Duration, Instant};
use zerocopy::IntoBytes;

/// How many pages are flipped.
const FLIPS: u64 = 60;

/// The last picture.
fn picture(x: u32, y: u32) -> u32 {
    (x & 0xff) << 16 | (y & 0xff) << 8 | ((x ^ y) & 0xff)
}

fn errno(result: io::Result<()>) -> String {
    match result {
        Ok(()) => "ok".into(),
        Err(error) => format!("errno {}", error.raw_os_error().unwrap_or(0)),
    }
}

fn main() -> io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("vt") {
        return vt::run();
    }
    let card = Card::open()?;
    describe(&card)?;
    let display = find(&card)?;
    let (width, height) = drm::mode::size(&display.mode);
    println!("mode {width}x{height}");
    let (first, second) = (Canvas::new(&card, width, height, 24)?, Canvas::new(&card, width, height, 24)?);
    first.draw(|_, _| 0x20_40_60);
    second.draw(picture);
    println!("set: {}", errno(display.show(&card, first.framebuffer)));
    errors(&card, &display)?;
    flips(&card, &display, [&first, &second])?;
    show_cursor(&card, &display)?;
    println!("set: {}", errno(display.show(&card, second.framebuffer)));
    let mut dirty = FbDirty { fb_id: second.framebuffer, ..FbDirty::default() };
    println!("dirty: {}", errno(card.call(call::MODE_DIRTYFB, &mut dirty)));
    let mut now = Crtc { crtc_id: display.crtc, ..Crtc::default() };
    card.call(call::MODE_GETCRTC, &mut now)?;
    println!("shown: {} {}", now.fb_id == second.framebuffer, now.mode == display.mode);
    println!("== end");
    if std::env::args().nth(1).as_deref() == Some("hold") {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
    println!("unset: {}", errno(card.call(call::MODE_SETCRTC, &mut Crtc { crtc_id: display.crtc, ..Crtc::default() })));
    Ok(())
}

fn describe(card: &Card) -> io::Result<()> {
    let mut name = [0u8; 32];
    let mut version = Version { name: name.as_mut_ptr() as u64, name_len: 32, ..Version::default() };
    card.call(call::VERSION, &mut version)?;
    println!("driver {}", String::from_utf8_lossy(&name[..(version.name_len as usize).min(32)]));
    for capability in [cap::DUMB_BUFFER, cap::TIMESTAMP_MONOTONIC, cap::CURSOR_WIDTH, cap::CRTC_IN_VBLANK_EVENT, 0x999] {
        let mut value = Cap { capability, value: 0 };
        let result = errno(card.call(call::GET_CAP, &mut value));
        println!("capability {capability:#x}: {result} {}", value.value);
    }
    println!("master: {}", errno(card.plain(call::SET_MASTER)));
    println!("a call that there is not: {}", errno(card.call(0xf0, &mut Id { id: 0 })));
    Ok(())
}

struct Display {
    connector: u32,
    crtc: u32,
    mode: ModeInfo,
}

/// The first connected display.
fn find(card: &Card) -> io::Result<Display> {
    let (mut connectors, mut crtcs) = ([0u32; 16], [0u32; 16]);
    let mut resources = CardRes {
        connectors: connectors.as_mut_ptr() as u64,
        count_connectors: 16,
        crtcs: crtcs.as_mut_ptr() as u64,
        count_crtcs: 16,
        ..CardRes::default()
    };
    card.call(call::MODE_GETRESOURCES, &mut resources)?;
    println!("connectors {} crtcs {}", resources.count_connectors, resources.count_crtcs);
    let (mut modes, mut encoders) = ([ModeInfo::default(); 128], [0u32; 4]);
    let mut connector = GetConnector { connector_id: connectors[0], ..GetConnector::default() };
    card.call(call::MODE_GETCONNECTOR, &mut connector)?;
    println!("connected {} type {}", connector.connection == connection::CONNECTED, connector.connector_type);
    let mut again = GetConnector {
        connector_id: connectors[0],
        modes: modes.as_mut_ptr() as u64,
        count_modes: 128,
        encoders: encoders.as_mut_ptr() as u64,
        count_encoders: 4,
        ..GetConnector::default()
    };
    card.call(call::MODE_GETCONNECTOR, &mut again)?;
    println!("encoders {} same modes {}", again.count_encoders, again.count_modes == connector.count_modes && again.count_modes > 3);
    let mut encoder = GetEncoder { encoder_id: encoders[0], ..GetEncoder::default() };
    card.call(call::MODE_GETENCODER, &mut encoder)?;
    println!("possible crtcs {:#x}", encoder.possible_crtcs);
    let mut properties = ObjGetProperties { obj_id: connectors[0], obj_type: object::CONNECTOR, ..ObjGetProperties::default() };
    card.call(call::MODE_OBJ_GETPROPERTIES, &mut properties)?;
    let before = properties.count_props;
    let mut atomic = Cap { capability: client_cap::ATOMIC, value: 1 };
    println!("atomic: {}", errno(card.call(call::SET_CLIENT_CAP, &mut atomic)));
    properties.count_props = 0;
    card.call(call::MODE_OBJ_GETPROPERTIES, &mut properties)?;
    println!("more properties {}", properties.count_props > before);
    Ok(Display { connector: connectors[0], crtc: crtcs[0], mode: modes[0] })
}

impl Display {
    fn show(&self, card: &Card, framebuffer: u32) -> io::Result<()> {
        let connectors = [self.connector];
        let mut crtc = Crtc {
            set_connectors: connectors.as_ptr() as u64,
            count_connectors: 1,
            crtc_id: self.crtc,
            fb_id: framebuffer,
            mode_valid: 1,
            mode: self.mode,
            ..Crtc::default()
        };
        card.call(call::MODE_SETCRTC, &mut crtc)
    }
}

fn errors(card: &Card, display: &Display) -> io::Result<()> {
    let small = Canvas::new(card, 64, 64, 24)?;
    println!("too small: {}", errno(display.show(card, small.framebuffer)));
    println!("no framebuffer: {}", errno(display.show(card, 0x7fff_ffff)));
    let flip = |fb_id, crtc_id, flags| errno(card.call(call::MODE_PAGE_FLIP, &mut PageFlip { crtc_id, fb_id, flags, reserved: 0, user_data: 0 }));
    println!("flip: {} {} {}", flip(0x7fff_ffff, display.crtc, 0), flip(small.framebuffer, 1, 0), flip(small.framebuffer, display.crtc, 0x80));
    println!("remove: {}", errno(card.call(call::MODE_RMFB, &mut Id { id: small.framebuffer })));
    println!("again: {}", errno(card.call(call::MODE_RMFB, &mut Id { id: small.framebuffer })));
    println!("destroy: {}", errno(card.call(call::MODE_DESTROY_DUMB, &mut Id { id: small.handle })));
    println!("again: {}", errno(card.call(call::MODE_DESTROY_DUMB, &mut Id { id: small.handle })));
    let mut unreadable = FbDirty { fb_id: 0x7fff_ffff, num_clips: 1, clips: 8, ..FbDirty::default() };
    println!("dirty nothing: {}", errno(card.call(call::MODE_DIRTYFB, &mut unreadable)));
    let mut nowhere = CardRes { crtcs: 8, count_crtcs: 16, ..CardRes::default() };
    println!("a bad pointer: {}", errno(card.call(call::MODE_GETRESOURCES, &mut nowhere)));
    Ok(())
}

/// Flips between two pictures; the events are read from the card.
fn flips(card: &Card, display: &Display, canvases: [&Canvas; 2]) -> io::Result<()> {
    let start = Instant::now();
    let (mut in_order, mut rising, mut last) = (true, true, 0u64);
    for user_data in 0..FLIPS {
        let canvas = canvases[user_data as usize % 2];
        let mut flip = PageFlip { crtc_id: display.crtc, fb_id: canvas.framebuffer, flags: flip::PAGE_FLIP_EVENT, reserved: 0, user_data };
        card.call(call::MODE_PAGE_FLIP, &mut flip)?;
        let mut record = EventVblank::default();
        let len = (&card.0).read(record.as_mut_bytes())?;
        in_order &= len == 32 && record.kind == event::FLIP_COMPLETE && record.user_data == user_data && record.crtc_id == display.crtc;
        let time = u64::from(record.tv_sec) * 1_000_000 + u64::from(record.tv_usec);
        rising &= time >= last;
        last = time;
    }
    println!("{FLIPS} flips: in order {in_order}, times rising {rising}");
    eprintln!("{FLIPS} flips took {} ms", start.elapsed().as_millis());
    Ok(())
}

fn show_cursor(card: &Card, display: &Display) -> io::Result<()> {
    let canvas = Canvas::new(card, 64, 64, 0)?;
    canvas.draw(|x, y| if x < y { 0xff00_ff00 } else { 0 });
    let mut set = Cursor { flags: cursor::BO | cursor::MOVE, crtc_id: display.crtc, x: 100, y: 50, width: 64, height: 64, handle: canvas.handle, hot_x: 1, hot_y: 1 };
    println!("cursor: {}", errno(card.call(call::MODE_CURSOR2, &mut set)));
    let mut moved = Cursor { flags: cursor::MOVE, crtc_id: display.crtc, x: -5, y: 700, ..Cursor::default() };
    println!("moved: {}", errno(card.call(call::MODE_CURSOR2, &mut moved)));
    println!("bad flags: {}", errno(card.call(call::MODE_CURSOR2, &mut Cursor { flags: 4, crtc_id: display.crtc, ..Cursor::default() })));
    println!("hidden: {}", errno(card.call(call::MODE_CURSOR2, &mut Cursor { flags: cursor::BO, crtc_id: display.crtc, ..Cursor::default() })));
    Ok(())
}
