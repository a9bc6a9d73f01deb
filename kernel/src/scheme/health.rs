//! `/scheme/health`: how the daemons do. A line a scheme: its name, its daemon's process (0: none), for how many milliseconds requests have been waiting that the
//! daemon has not taken (0: none wait), and 1 where the daemon itself waits for another scheme, else 0. For the supervisor: it ends a daemon that is hung.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt::Write;

use super::registry;
use super::pseudo::{self, Device};
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, InodeRef, IoSink, OpenFile};

/// The file.
pub fn file() -> InodeRef {
    let ino = pseudo::ino(b"health");
    Arc::new(Device {
        attr: pseudo::attr(FileType::Regular, 0o400, ino),
        root_only: true,
        open: alloc::boxed::Box::new(|_| Ok(Arc::new(Health))),
    })
}

fn report() -> String {
    let schemes = registry::user_schemes();
    let mut waiting: Vec<u32> = Vec::new();
    for scheme in &schemes {
        scheme.clients(&mut waiting);
    }
    let now = frame::time::now_ns();
    let mut text = String::new();
    for scheme in &schemes {
        let (pid, unread_ms) = scheme.health(now);
        let waits = u8::from(pid != 0 && waiting.contains(&pid));
        let _ = writeln!(text, "{} {pid} {unread_ms} {waits}", scheme.name);
    }
    // The network stack serves no scheme: it reads what the kernel has for it.
    if let Some((pid, unread_ms)) = crate::ipc::inet::outside::health(now) {
        let waits = u8::from(waiting.contains(&pid));
        let _ = writeln!(text, "netstack {pid} {unread_ms} {waits}");
    }
    text
}

struct Health;

impl FileOps for Health {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let text = report();
        let from = usize::try_from(pos).unwrap_or(usize::MAX).min(text.len());
        dst.write(&text.as_bytes()[from..])
    }

    fn attr(&self) -> Result<Attr> {
        Ok(pseudo::attr(FileType::Regular, 0o400, pseudo::ino(b"health")))
    }

    fn describe(&self) -> String {
        String::from("health of schemes")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
