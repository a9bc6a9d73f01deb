//! Whole calls, as programs make them.

use super::*;
use crate::testing::{BASE, Bench, ROOT, USER};
use crate::uapi::*;

fn framebuffer(bench: &mut Bench, file: FileId, width: u32, height: u32) -> (u32, u32) {
    let dumb = bench.call(file, call::MODE_CREATE_DUMB, CreateDumb { width, height, bpp: 32, ..Default::default() });
    assert_eq!((dumb.pitch, dumb.size), (width * 4, (u64::from(width * 4 * height)).next_multiple_of(4096)));
    let fb = FbCmd { width, height, pitch: dumb.pitch, bpp: 32, depth: 24, handle: dumb.handle, ..Default::default() };
    (bench.call(file, call::MODE_ADDFB, fb).fb_id, dumb.handle)
}

fn crtc(bench: &Bench) -> u32 {
    bench.device.pipes()[0].crtc
}

fn set_crtc(bench: &mut Bench, file: FileId, fb_id: u32) -> Result<(), Errno> {
    let connector = bench.device.pipes()[0].connector;
    let set_connectors = bench.space.put(0, &[connector]);
    let args = Crtc { set_connectors, count_connectors: 1, crtc_id: crtc(bench), fb_id, mode_valid: 1, mode: bench.mode(), ..Default::default() };
    bench.try_call(file, call::MODE_SETCRTC, args).map(|_| ())
}

#[test]
fn lists_are_copied_where_there_is_room_and_always_counted() {
    let mut bench = Bench::new();
    let file = bench.device.open(FileKind::Program, ROOT);
    let counted = bench.call(file, call::MODE_GETRESOURCES, CardRes::default());
    assert_eq!((counted.count_crtcs, counted.count_connectors, counted.count_encoders, counted.count_fbs), (1, 1, 1, 0));
    let filled = bench.call(file, call::MODE_GETRESOURCES, CardRes { crtcs: BASE + 16, count_crtcs: 1, ..Default::default() });
    assert_eq!(filled.count_crtcs, 1);
    assert_eq!(bench.space.words(16, 1), [crtc(&bench)]);
    // A bad pointer is only followed where something would be copied.
    assert_eq!(bench.error(file, call::MODE_GETRESOURCES, CardRes { crtcs: 8, count_crtcs: 9, ..Default::default() }), Errno::FAULT);
    // The bus address is there once a version of the interface that has it was asked for.
    assert_eq!(bench.call(file, call::GET_UNIQUE, Unique::default()).len, 0);
    bench.call(file, call::SET_VERSION, SetVersion { di_major: 1, di_minor: 4, dd_major: -1, dd_minor: -1 });
    assert_eq!(bench.call(file, call::GET_UNIQUE, Unique::default()).len, 4);
    assert_eq!(bench.error(file, call::SET_VERSION, SetVersion { di_major: 2, ..SetVersion::default() }), Errno::INVAL);
    let version = bench.call(file, call::VERSION, Version { name: BASE, name_len: 2, ..Default::default() });
    assert_eq!((version.name_len, version.date_len, &bench.space.0[..3]), (4, 1, &b"fa\0"[..]));
}

#[test]
fn a_mode_is_set_and_pages_flip_at_its_rate() {
    let mut bench = Bench::new();
    let file = bench.device.open(FileKind::Program, ROOT);
    let (first, _) = framebuffer(&mut bench, file, 1024, 768);
    let (second, _) = framebuffer(&mut bench, file, 1024, 768);
    let (small, _) = framebuffer(&mut bench, file, 640, 480);
    assert_eq!(set_crtc(&mut bench, file, small), Err(Errno::NOSPC));
    assert_eq!(set_crtc(&mut bench, file, 9999), Err(Errno::NOENT));
    bench.log();
    let crtc_id = crtc(&bench);
    let flip = |fb_id, user_data| PageFlip { crtc_id, fb_id, flags: flip::PAGE_FLIP_EVENT, reserved: 0, user_data };
    assert_eq!(bench.error(file, call::MODE_PAGE_FLIP, flip(first, 1)), Errno::BUSY);
    set_crtc(&mut bench, file, first).unwrap();
    assert_eq!(bench.log(), [format!("show 0 {first} 1024x768")]);
    let start = bench.now;
    let frame = crate::mode::frame_ns(&bench.mode());
    bench.call(file, call::MODE_PAGE_FLIP, flip(second, 7));
    assert_eq!(bench.log(), [format!("show 0 {second} 1024x768")]);
    assert_eq!(bench.error(file, call::MODE_PAGE_FLIP, flip(first, 8)), Errno::BUSY);
    assert_eq!(bench.device.next_deadline(), Some(start + frame));
    assert!(!bench.device.has_events(file));
    bench.now = start + frame;
    bench.device.expire(bench.now);
    let mut record = [0; 32];
    assert_eq!(bench.device.read_events(file, &mut record), Ok(32));
    let event: EventVblank = decode(&record);
    assert_eq!((event.kind, event.user_data, event.crtc_id, event.sequence), (uapi_event::FLIP_COMPLETE, 7, crtc_id, 1));
    assert_eq!(u64::from(event.tv_sec) * 1_000_000 + u64::from(event.tv_usec), (start + frame) / 1000);
    bench.call(file, call::MODE_PAGE_FLIP, flip(first, 9));
    assert_eq!(bench.error(file, call::MODE_PAGE_FLIP, flip(small, 9)), Errno::NOSPC);
    // Turning the display off ends the flip.
    bench.call(file, call::MODE_SETCRTC, Crtc { crtc_id, ..Default::default() });
    assert!(bench.device.has_events(file) && bench.device.next_deadline().is_none());
}

use crate::uapi::event as uapi_event;

#[test]
fn only_a_master_sets_modes() {
    let mut bench = Bench::new();
    let first = bench.device.open(FileKind::Program, USER);
    let second = bench.device.open(FileKind::Program, ROOT);
    bench.caller = USER;
    let (fb, _) = framebuffer(&mut bench, second, 1024, 768);
    assert_eq!(set_crtc(&mut bench, second, fb), Err(Errno::ACCESS));
    assert_eq!(bench.error(second, call::SET_MASTER, [0u8; 0]), Errno::ACCESS);
    bench.caller = ROOT;
    assert_eq!(bench.error(second, call::SET_MASTER, [0u8; 0]), Errno::BUSY);
    // Who was master may drop it and take it again without being root.
    bench.caller = USER;
    bench.call(first, call::DROP_MASTER, [0u8; 0]);
    assert_eq!(bench.error(first, call::DROP_MASTER, [0u8; 0]), Errno::INVAL);
    bench.call(first, call::SET_MASTER, [0u8; 0]);
    bench.device.close(first, bench.now);
    bench.caller = ROOT;
    bench.call(second, call::SET_MASTER, [0u8; 0]);
    set_crtc(&mut bench, second, fb).unwrap();
    // A client that the master vouches for.
    let third = bench.device.open(FileKind::Program, USER);
    assert!(!bench.device.is_authenticated(third));
    let magic = bench.call(third, call::GET_MAGIC, Auth { magic: 0 });
    bench.call(second, call::AUTH_MAGIC, magic);
    assert!(bench.device.is_authenticated(third));
    assert_eq!(bench.error(second, call::AUTH_MAGIC, Auth { magic: 77 }), Errno::INVAL);
}

#[test]
fn the_console_comes_back_when_the_master_goes() {
    let mut bench = Bench::new();
    let console = bench.device.open(FileKind::Console, ROOT);
    let (text, _) = framebuffer(&mut bench, console, 1024, 768);
    set_crtc(&mut bench, console, text).unwrap();
    let file = bench.device.open(FileKind::Program, ROOT);
    assert!(bench.device.has_master());
    let (fb, _) = framebuffer(&mut bench, file, 1024, 768);
    set_crtc(&mut bench, file, fb).unwrap();
    bench.log();
    // Drawing on the hidden console shows nothing.
    bench.call(console, call::MODE_DIRTYFB, FbDirty { fb_id: text, ..Default::default() });
    set_crtc(&mut bench, console, text).unwrap();
    assert_eq!(bench.log(), [""; 0]);
    bench.device.close(file, bench.now);
    assert_eq!(bench.log(), ["dark 0".to_owned(), format!("remove {fb}"), format!("show 0 {text} 1024x768")]);
    bench.call(console, call::MODE_DIRTYFB, FbDirty { fb_id: text, ..Default::default() });
    assert_eq!(bench.log().len(), 1);
}

#[test]
fn buffers_are_mapped_by_who_has_a_handle() {
    let mut bench = Bench::new();
    let file = bench.device.open(FileKind::Program, ROOT);
    let other = bench.device.open(FileKind::Program, ROOT);
    let (fb, handle) = framebuffer(&mut bench, file, 64, 64);
    let offset = bench.call(file, call::MODE_MAP_DUMB, MapDumb { handle, ..Default::default() }).offset;
    assert!(bench.device.mmap(file, offset, 16384).is_ok());
    assert_eq!(bench.device.mmap(file, offset, 16385), Err(Errno::INVAL));
    assert_eq!(bench.device.mmap(file, offset + 4096, 16384), Err(Errno::INVAL));
    assert_eq!(bench.device.mmap(other, offset, 4096), Err(Errno::ACCESS));
    assert_eq!(bench.device.mmap(file, 5, 4096), Err(Errno::INVAL));
    // The framebuffer keeps the buffer; with it the last reference goes.
    bench.call(file, call::MODE_DESTROY_DUMB, Id { id: handle });
    assert_eq!(bench.error(file, call::MODE_DESTROY_DUMB, Id { id: handle }), Errno::INVAL);
    assert_eq!(bench.device.buffers.len(), 1);
    assert_eq!(bench.error(other, call::MODE_RMFB, Id { id: fb }), Errno::NOENT);
    bench.call(file, call::MODE_RMFB, Id { id: fb });
    assert_eq!(bench.device.buffers.len(), 0);
    for (width, height, bpp) in [(0, 1, 32), (1, 0, 32), (1, 1, 0), (65536, 65536, 32), (u32::MAX, 1, 32)] {
        let args = CreateDumb { width, height, bpp, ..Default::default() };
        assert_eq!(bench.error(file, call::MODE_CREATE_DUMB, args), Errno::INVAL);
    }
    let (_, handle) = framebuffer(&mut bench, file, 64, 64);
    let too_high = FbCmd { width: 64, height: 65, pitch: 256, bpp: 32, depth: 24, handle, ..Default::default() };
    assert_eq!(bench.error(file, call::MODE_ADDFB, too_high), Errno::INVAL);
    bench.device.close(file, bench.now);
    assert_eq!((bench.device.buffers.len(), bench.device.framebuffers.len()), (0, 0));
}

#[test]
fn a_cursor_is_set_and_moved() {
    let mut bench = Bench::new();
    let file = bench.device.open(FileKind::Program, ROOT);
    let (fb, _) = framebuffer(&mut bench, file, 1024, 768);
    set_crtc(&mut bench, file, fb).unwrap();
    let (_, handle) = framebuffer(&mut bench, file, 32, 32);
    let number = *bench.device.file(file).unwrap().handles.get(&handle).unwrap();
    bench.device.buffers[&number].memory.write(128 + 4, &0xff11_2233u32.to_le_bytes());
    bench.log();
    let crtc_id = crtc(&bench);
    let set = Cursor { flags: cursor::BO | cursor::MOVE, crtc_id, x: 5, y: -3, width: 32, height: 32, handle, hot_x: 1, hot_y: 2 };
    bench.call(file, call::MODE_CURSOR2, set);
    assert_eq!(bench.log()[1..], ["cursor 0 true (5, -3)"]);
    let image = bench.device.backend().cursor.clone().unwrap();
    assert_eq!((image.pixels.len(), image.pixels[65], image.hot), (64 * 64, 0xff11_2233, (1, 2)));
    bench.call(file, call::MODE_CURSOR, Cursor { flags: cursor::MOVE, crtc_id, x: 6, y: 7, ..Default::default() });
    assert_eq!(bench.log(), ["move 0 (6, 7)"]);
    assert_eq!(bench.error(file, call::MODE_CURSOR, Cursor { width: 65, ..set }), Errno::INVAL);
    bench.call(file, call::MODE_CURSOR, Cursor { flags: cursor::BO, crtc_id, ..Default::default() });
    assert_eq!(bench.log()[0], "cursor 0 false (6, 7)");
    // Only the framebuffers that the client made are left.
    assert_eq!(bench.device.framebuffers.len(), 2);
}

#[test]
fn atomic_commits_are_checked_whole() {
    let mut bench = Bench::new();
    let file = bench.device.open(FileKind::Program, ROOT);
    let (fb, _) = framebuffer(&mut bench, file, 1024, 768);
    bench.call(file, call::SET_CLIENT_CAP, Cap { capability: client_cap::ATOMIC, value: 1 });
    let mode = bench.mode();
    let data = bench.space.put(0x1000, &mode);
    let blob = bench.call(file, call::MODE_CREATEPROPBLOB, CreateBlob { data, length: 68, blob_id: 0 }).blob_id;
    let (crtc, connector, plane) = {
        let pipe = &bench.device.pipes()[0];
        (pipe.crtc, pipe.connector, pipe.primary)
    };
    use crate::property::Property::*;
    let commit = |bench: &mut Bench, flags: u32, sets: &[(u32, Vec<(crate::property::Property, u64)>)]| {
        let objs = bench.space.put(0x2000, &sets.iter().map(|(id, _)| *id).collect::<Vec<u32>>()[..]);
        let count_props = bench.space.put(0x3000, &sets.iter().map(|(_, sets)| sets.len() as u32).collect::<Vec<u32>>()[..]);
        let all: Vec<_> = sets.iter().flat_map(|(_, sets)| sets.clone()).collect();
        let props = bench.space.put(0x4000, &all.iter().map(|(property, _)| property.id()).collect::<Vec<u32>>()[..]);
        let values = bench.space.put(0x5000, &all.iter().map(|(_, value)| *value).collect::<Vec<u64>>()[..]);
        let args = Atomic { flags, count_objs: sets.len() as u32, objs, count_props, props, values, reserved: 0, user_data: 42 };
        bench.try_call(file, call::MODE_ATOMIC, args).map(|(_, outcome)| outcome)
    };
    let planes = vec![
        (FbId, fb.into()), (CrtcId, crtc.into()), (CrtcX, 0), (CrtcY, 0), (CrtcW, 1024), (CrtcH, 768), (SrcX, 0), (SrcY, 0), (SrcW, 1024 << 16), (SrcH, 768 << 16),
    ];
    let all = vec![(crtc, vec![(Active, 1), (ModeId, blob.into())]), (connector, vec![(ConnectorCrtc, crtc.into())]), (plane, planes.clone())];
    bench.log();
    assert_eq!(commit(&mut bench, 0, &all), Err(Errno::INVAL), "a mode set that was not allowed");
    assert_eq!(commit(&mut bench, flip::ATOMIC_ALLOW_MODESET | flip::ATOMIC_TEST_ONLY, &all), Ok(Outcome::Done));
    assert_eq!(commit(&mut bench, flip::ATOMIC_ALLOW_MODESET, &all[..1]), Err(Errno::INVAL), "no connector");
    assert!(bench.log().is_empty());
    assert_eq!(commit(&mut bench, flip::ATOMIC_ALLOW_MODESET | flip::PAGE_FLIP_EVENT, &all), Ok(Outcome::Done));
    assert_eq!(bench.log(), [format!("show 0 {fb} 1024x768")]);
    let flip = vec![(plane, vec![(FbId, fb.into())])];
    let nonblocking = flip::ATOMIC_NONBLOCK | flip::PAGE_FLIP_EVENT;
    assert_eq!(commit(&mut bench, nonblocking, &flip), Err(Errno::BUSY));
    bench.now += 20_000_000;
    assert_eq!(commit(&mut bench, nonblocking, &flip), Ok(Outcome::Done));
    let next = bench.device.next_deadline().unwrap();
    assert_eq!(commit(&mut bench, 0, &flip), Ok(Outcome::At(next)));
    // Planes that do not fit.
    let with = |property, value| vec![(plane, planes.iter().map(|(p, v)| (*p, if *p == property { value } else { *v })).collect())];
    for (property, value, error) in [
        (CrtcW, 1000, Errno::RANGE), (SrcX, 1 << 16, Errno::NOSPC), (FbId, 0, Errno::INVAL), (FbId, 5000, Errno::INVAL), (CrtcX, 1, Errno::INVAL),
        (CrtcW, 1 << 40, Errno::INVAL), (CrtcId, 999, Errno::INVAL),
    ] {
        let sets: Vec<(u32, Vec<_>)> = with(property, value);
        assert_eq!(commit(&mut bench, 0, &sets), Err(error), "{property:?} = {value}");
    }
    assert_eq!(commit(&mut bench, 0, &[(plane, vec![(Active, 1)])]), Err(Errno::NOENT));
    assert_eq!(commit(&mut bench, 0x8000, &[]), Err(Errno::INVAL));
    // The mode's blob lives as long as the mode.
    bench.call(file, call::MODE_DESTROYPROPBLOB, Id { id: blob });
    assert_eq!(bench.call(file, call::MODE_GETPROPBLOB, GetBlob { blob_id: blob, ..Default::default() }).length, 68);
    let off = vec![(crtc, vec![(Active, 0), (ModeId, 0)]), (connector, vec![(ConnectorCrtc, 0)]), (plane, vec![(FbId, 0), (CrtcId, 0)])];
    assert_eq!(commit(&mut bench, flip::ATOMIC_ALLOW_MODESET, &off), Ok(Outcome::Done));
    assert_eq!(bench.error(file, call::MODE_GETPROPBLOB, GetBlob { blob_id: blob, ..Default::default() }), Errno::NOENT);
    let properties = bench.call(file, call::MODE_OBJ_GETPROPERTIES, ObjGetProperties { obj_id: plane, obj_type: object::PLANE, ..Default::default() });
    assert_eq!(properties.count_props, 12);
}

#[test]
fn vertical_blanks_are_waited_for() {
    let mut bench = Bench::new();
    let file = bench.device.open(FileKind::Program, ROOT);
    assert_eq!(bench.error(file, call::WAIT_VBLANK, WaitVblank { kind: wait::RELATIVE, sequence: 1, ..Default::default() }), Errno::INVAL);
    let (fb, _) = framebuffer(&mut bench, file, 1024, 768);
    set_crtc(&mut bench, file, fb).unwrap();
    let (start, frame) = (bench.now, crate::mode::frame_ns(&bench.mode()));
    let (answer, outcome) = bench.try_call(file, call::WAIT_VBLANK, WaitVblank { kind: wait::RELATIVE, sequence: 2, ..Default::default() }).unwrap();
    assert_eq!((answer.sequence, outcome), (2, Outcome::At(start + 2 * frame)));
    assert_eq!(answer.low * 1_000_000 + answer.high, (start + 2 * frame) / 1000);
    bench.call(file, call::WAIT_VBLANK, WaitVblank { kind: wait::RELATIVE | wait::EVENT, sequence: 1, low: 9, high: 0 });
    let crtc_id = crtc(&bench);
    bench.call(file, call::CRTC_QUEUE_SEQUENCE, CrtcQueueSequence { crtc_id, flags: sequence::RELATIVE, sequence: 1, user_data: 10 });
    bench.device.expire(start + frame);
    let mut records = [0; 64];
    assert_eq!(bench.device.read_events(file, &mut records), Ok(64));
    assert_eq!(records[..4], uapi_event::VBLANK.to_ne_bytes());
    assert_eq!(records[32..36], uapi_event::CRTC_SEQUENCE.to_ne_bytes());
}

#[test]
fn a_resized_display_has_other_modes() {
    let mut bench = Bench::new();
    let console = bench.device.open(FileKind::Console, ROOT);
    assert!(!bench.device.refresh_outputs());
    bench.device.backend().outputs[0].modes = crate::mode::list(Some((801, 601)), &[], (4096, 4096));
    assert!(bench.device.refresh_outputs());
    assert_eq!(crate::mode::size(&bench.mode()), (801, 601));
    let mut record = [0; 32];
    assert_eq!(bench.device.read_events(console, &mut record), Ok(8));
    assert_eq!(record[..4], uapi_event::DISPLAY_CHANGED.to_ne_bytes());
}

/// Calls made of noise: an error or an answer, never a panic, and in the end nothing is left.
#[test]
fn noise_is_survived() {
    let mut bench = Bench::new();
    let mut seed = 0x1234_5678_9abc_def1u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut files: Vec<FileId> = Vec::new();
    for round in 0..200_000 {
        bench.now += random() % 3_000_000;
        if files.is_empty() || round % 500 == 0 {
            let kind = if random() % 4 == 0 { FileKind::Console } else { FileKind::Program };
            files.push(bench.device.open(kind, ROOT));
        }
        let file = files[random() as usize % files.len()];
        let number = u32::from(MAGIC) << 8 | [random() as u32 % 0x40, 0xa0 + random() as u32 % 0x30][random() as usize % 2];
        let mut data = vec![0u8; random() as usize % 120];
        for word in data.chunks_mut(4) {
            let value = match random() % 6 {
                0 => random() as u32,
                1 => BASE as u32 + random() as u32 % 0x8000,
                2 => [1024, 768, 64, 32, 68, 4096][random() as usize % 6],
                _ => random() as u32 % 64,
            };
            word.copy_from_slice(&value.to_ne_bytes()[..word.len()]);
        }
        let _ = bench.device.ioctl(file, bench.caller, number, &mut data, &mut bench.space, bench.now);
        if random() % 50 == 0 {
            let mut buffer = vec![0; random() as usize % 100];
            let _ = bench.device.read_events(file, &mut buffer);
        }
        if random() % 3000 == 0 {
            files.retain(|open| *open != file);
            bench.device.close(file, bench.now);
        }
        bench.log();
    }
    for file in files {
        bench.device.close(file, bench.now);
    }
    bench.device.expire(u64::MAX);
    assert_eq!((bench.device.buffers.len(), bench.device.framebuffers.len(), bench.device.blobs.len()), (0, 0, 0));
    assert!(bench.device.waiting.is_empty());
}
