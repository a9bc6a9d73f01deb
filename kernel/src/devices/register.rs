//! `/scheme/device/register`: where daemons add devices.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use super::device;
use super::message::{Message, parse};
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, InodeRef, IoSource, OpenFile};
use crate::scheme::pseudo::{Device, Dir, Entries, attr, ino};
use crate::sync::SpinLock;

/// Longest message.
const MAX_MESSAGE: usize = 64 << 10;
const NAME: &[u8] = b"register";

struct Files;

impl Entries for Files {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        if name != NAME {
            return Err(ENOENT);
        }
        Ok(Device::for_root(ino(NAME), |_| Ok(Arc::new(Register::default()))))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        alloc::vec![(NAME.to_vec(), FileType::CharDevice)]
    }
}

/// The scheme's root.
pub fn root() -> InodeRef {
    Dir::of(Files, 1)
}

/// A daemon's connection. What it added goes with it.
#[derive(Default)]
struct Register {
    added: SpinLock<Vec<Vec<u8>>>,
}

impl Drop for Register {
    fn drop(&mut self) {
        let added = core::mem::take(self.added.get_mut());
        for path in added.iter().rev() {
            // Gone already with one above it.
            let _ = device::remove(path);
        }
    }
}

impl FileOps for Register {
    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let len = src.remaining();
        if len > MAX_MESSAGE {
            return Err(EMSGSIZE);
        }
        let mut bytes = alloc::vec![0; len];
        src.read(&mut bytes)?;
        match parse(&bytes)? {
            Message::Add(added, stays) => {
                let path = added.path.clone();
                device::add(added)?;
                let mut all = self.added.lock();
                all.retain(|it| *it != path);
                if !stays {
                    all.push(path);
                }
            }
            Message::Remove(path) => {
                device::remove(&path)?;
                self.added.lock().retain(|it| *it != path);
            }
            Message::Change(path, variables) => device::change(&path, &variables)?,
        }
        Ok(len)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(attr(FileType::CharDevice, 0o200, ino(NAME)))
    }

    fn describe(&self) -> String {
        String::from("/scheme/device/register")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
