//! A device with its clients: who is master, and the way of an ioctl.

use crate::backend::{Backend, CursorImage, Memory, Rect};
use crate::buffers::{Buffer, Framebuffer};
use crate::events::{self, EventQueue, Kind};
use crate::memory::{CallerMemory, decode, encode};
use crate::objects::{Object, Pipe, PipeState, State};
use crate::property::{Blob, FIRST_FREE_ID};
use crate::uapi::{Auth, call, call_of};
use crate::vblank::VblankClock;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Names an open file of the device.
pub type FileId = u64;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A program's.
    Program,
    /// The text console's: it is shown while there is no master, and never is one.
    Console,
}

/// Who makes an ioctl.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The process.
    pub pid: u64,
    /// Whether it may administer the system.
    pub is_root: bool,
}

/// How an ioctl ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Now.
    Done,
    /// It blocks until this time (ns of CLOCK_MONOTONIC), then it ends well. Its answer is written already.
    At(u64),
}

/// An open file.
pub(crate) struct File {
    pub kind: FileKind,
    pub opener: u64,
    pub handles: BTreeMap<u32, u32>,
    /// The group of files that were opened under one master.
    pub group: Option<u32>,
    is_master: bool,
    was_master: bool,
    is_authenticated: bool,
    magic: u32,
    pub universal_planes: bool,
    pub atomic: bool,
    pub events: EventQueue,
}

/// Something that waits for a vertical blank.
pub(crate) struct Waiting {
    pub pipe: usize,
    pub kind: Kind,
    /// The blank's number.
    pub count: u64,
    /// Who gets an event, with the word it asked for; a flip without an event has none.
    pub event: Option<(FileId, u64)>,
}

/// A blob with its owner.
pub(crate) struct OwnedBlob {
    pub bytes: Rc<[u8]>,
    pub owner: FileId,
}

/// A display device with its clients.
pub struct Device<B: Backend> {
    pub(crate) backend: B,
    pub(crate) pipes: Vec<Pipe>,
    pub(crate) state: State,
    /// What the text console wants to be shown.
    pub(crate) console: Option<State>,
    files: BTreeMap<FileId, File>,
    last_file: FileId,
    /// The group of the current master.
    master: Option<u32>,
    last_group: u32,
    last_magic: u32,
    /// Groups that may read the bus address: their master has asked for a version of the interface that has one.
    pub(crate) with_address: std::collections::BTreeSet<u32>,
    pub(crate) buffers: BTreeMap<u32, Buffer<B::Memory>>,
    pub(crate) last_buffer: u32,
    pub(crate) framebuffers: BTreeMap<u32, Framebuffer>,
    pub(crate) blobs: BTreeMap<u32, OwnedBlob>,
    last_id: u32,
    pub(crate) waiting: Vec<Waiting>,
}

impl<B: Backend> Device<B> {
    /// A device without clients, and dark.
    pub fn new(mut backend: B) -> Self {
        let outputs = backend.outputs();
        let has_cursor = backend.limits().cursor.is_some();
        let mut device = Self {
            backend,
            pipes: Vec::new(),
            state: vec![PipeState::default(); outputs.len()],
            console: None,
            files: BTreeMap::new(),
            last_file: 0,
            master: None,
            last_group: 0,
            last_magic: 0,
            with_address: std::collections::BTreeSet::new(),
            buffers: BTreeMap::new(),
            last_buffer: 0,
            framebuffers: BTreeMap::new(),
            blobs: BTreeMap::new(),
            last_id: FIRST_FREE_ID - 1,
            waiting: Vec::new(),
        };
        for output in outputs {
            let pipe = Pipe {
                crtc: device.new_id(),
                primary: device.new_id(),
                cursor: has_cursor.then(|| device.new_id()),
                encoder: device.new_id(),
                connector: device.new_id(),
                edid: device.edid_blob(&output.edid),
                output,
                clock: VblankClock::default(),
            };
            device.pipes.push(pipe);
        }
        device
    }

    /// The device behind it.
    pub fn backend(&mut self) -> &mut B {
        &mut self.backend
    }

    pub(crate) fn new_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(FIRST_FREE_ID);
            let id = self.last_id;
            if self.object(id).is_none() && !self.framebuffers.contains_key(&id) && self.blob(id).is_none() {
                return id;
            }
        }
    }

    fn edid_blob(&mut self, edid: &[u8]) -> Option<Blob> {
        let bytes = crate::edid::trim(edid);
        (!bytes.is_empty()).then(|| Blob { id: self.new_id(), bytes: bytes.into() })
    }

    pub(crate) fn object(&self, id: u32) -> Option<Object> {
        (0..).zip(&self.pipes).find_map(|(index, pipe)| pipe.object(index, id))
    }

    /// The bytes of a blob: a client's, an EDID, or the mode of a CRTC, which lives on when its owner has destroyed it.
    pub(crate) fn blob(&self, id: u32) -> Option<Rc<[u8]>> {
        if let Some(blob) = self.blobs.get(&id) {
            return Some(blob.bytes.clone());
        }
        let edids = self.pipes.iter().filter_map(|pipe| pipe.edid.as_ref());
        let modes = self.state.iter().chain(self.console.iter().flatten()).filter_map(|pipe| pipe.mode.as_ref().map(|(_, blob)| blob));
        edids.chain(modes).find(|blob| blob.id == id).map(|blob| blob.bytes.clone())
    }

    // ---- files ----

    /// A client opens the device.
    pub fn open(&mut self, kind: FileKind, caller: Caller) -> FileId {
        self.last_file += 1;
        let file = File {
            kind,
            opener: caller.pid,
            handles: BTreeMap::new(),
            group: self.master,
            is_master: false,
            was_master: false,
            is_authenticated: caller.is_root,
            magic: 0,
            universal_planes: false,
            atomic: false,
            events: EventQueue::default(),
        };
        self.files.insert(self.last_file, file);
        if kind == FileKind::Program && self.master.is_none() {
            self.become_master(self.last_file);
        }
        self.last_file
    }

    /// The last descriptor of a file is closed.
    pub fn close(&mut self, id: FileId, now_ns: u64) {
        let was_master = self.is_current_master(id);
        let Some(file) = self.files.remove(&id) else { return };
        self.waiting.retain_mut(|waiting| {
            let is_its = waiting.event.is_some_and(|(file, _)| file == id);
            if is_its {
                waiting.event = None;
            }
            !is_its || waiting.kind == Kind::Flip
        });
        let owned: Vec<u32> = self.framebuffers.iter().filter(|(_, fb)| fb.owner == Some(id)).map(|(id, _)| *id).collect();
        for framebuffer in owned {
            self.remove_framebuffer(framebuffer, now_ns);
        }
        for buffer in file.handles.into_values() {
            self.unreference(buffer);
        }
        self.blobs.retain(|_, blob| blob.owner != id);
        if let Some(group) = file.group
            && self.files.values().all(|other| other.group != Some(group))
        {
            self.with_address.remove(&group);
        }
        if file.kind == FileKind::Console {
            self.console = None;
        }
        if was_master {
            self.master = None;
        }
        self.show_console(now_ns);
    }

    pub(crate) fn file(&mut self, id: FileId) -> Result<&mut File, Errno> {
        self.files.get_mut(&id).ok_or(Errno::BADF)
    }

    pub(crate) fn files(&mut self) -> impl Iterator<Item = (FileId, &mut File)> {
        self.files.iter_mut().map(|(id, file)| (*id, file))
    }

    pub(crate) fn is_current_master(&self, id: FileId) -> bool {
        self.files.get(&id).is_some_and(|file| file.is_master && file.group.is_some() && file.group == self.master)
    }

    /// Whether a program has the display.
    pub fn has_master(&self) -> bool {
        self.master.is_some()
    }

    fn become_master(&mut self, id: FileId) {
        self.last_group += 1;
        let group = self.last_group;
        if let Some(file) = self.files.get_mut(&id) {
            (file.is_master, file.was_master, file.is_authenticated) = (true, true, true);
            file.group = Some(group);
            self.master = Some(group);
        }
    }

    /// Since Linux 5.8: who was master may become it again and drop it; others need to be root.
    fn may_change_master(&mut self, id: FileId, caller: Caller) -> Result<(), Errno> {
        let file = self.file(id)?;
        if file.was_master && file.opener == caller.pid || caller.is_root { Ok(()) } else { Err(Errno::ACCESS) }
    }

    fn set_master(&mut self, id: FileId, caller: Caller) -> Result<(), Errno> {
        self.may_change_master(id, caller)?;
        if self.is_current_master(id) {
            return Ok(());
        }
        if self.master.is_some() {
            return Err(Errno::BUSY);
        }
        let file = self.file(id)?;
        match (file.kind, file.is_master, file.group) {
            (FileKind::Console, ..) => Err(Errno::INVAL),
            (_, true, Some(group)) => {
                self.master = Some(group);
                Ok(())
            }
            _ => {
                self.become_master(id);
                Ok(())
            }
        }
    }

    fn drop_master(&mut self, id: FileId, caller: Caller, now_ns: u64) -> Result<(), Errno> {
        self.may_change_master(id, caller)?;
        if !self.is_current_master(id) {
            return Err(Errno::INVAL);
        }
        self.master = None;
        self.show_console(now_ns);
        Ok(())
    }

    fn get_magic(&mut self, id: FileId, data: &mut [u8]) -> Result<(), Errno> {
        if self.file(id)?.magic == 0 {
            self.last_magic += 1;
            self.file(id)?.magic = self.last_magic;
        }
        encode(&Auth { magic: self.file(id)?.magic }, data);
        Ok(())
    }

    fn auth_magic(&mut self, id: FileId, data: &[u8]) -> Result<(), Errno> {
        let magic = decode::<Auth>(data).magic;
        let group = self.file(id)?.group;
        let known = self.files.values_mut().find(|file| magic != 0 && file.magic == magic && file.group == group);
        known.ok_or(Errno::INVAL)?.is_authenticated = true;
        Ok(())
    }

    /// Whether a client may do what needs authentication: it is root, a master, or a master has vouched for it.
    pub fn is_authenticated(&self, id: FileId) -> bool {
        self.files.get(&id).is_some_and(|file| file.is_authenticated)
    }

    // ---- ioctls ----

    /// An ioctl of a client: `number` as it came, `data` its structure, in and out.
    ///
    /// # Errors
    /// Those of Linux: `NOTTY` for numbers that are not DRM's, `INVAL` for calls that there are not, `ACCESS` where only a master may, and each call's.
    pub fn ioctl(
        &mut self,
        file: FileId,
        caller: Caller,
        number: u32,
        data: &mut [u8],
        memory: &mut dyn CallerMemory,
        now_ns: u64,
    ) -> Result<Outcome, Errno> {
        let call = call_of(number).ok_or(Errno::NOTTY)?;
        if needs_master(call) && !self.is_current_master(file) && self.file(file)?.kind != FileKind::Console {
            return Err(Errno::ACCESS);
        }
        self.expire(now_ns);
        let done = match call {
            call::VERSION => self.version(data, memory),
            call::GET_UNIQUE => self.unique(file, data, memory),
            call::GET_MAGIC => self.get_magic(file, data),
            call::SET_VERSION => self.set_version(file, data),
            call::GEM_CLOSE => self.gem_close(file, data),
            call::GET_CAP => self.get_cap(data),
            call::SET_CLIENT_CAP => self.set_client_cap(file, data),
            call::AUTH_MAGIC => self.auth_magic(file, data),
            call::SET_MASTER => self.set_master(file, caller),
            call::DROP_MASTER => self.drop_master(file, caller, now_ns),
            // A driver without PRIME.
            call::PRIME_HANDLE_TO_FD | call::PRIME_FD_TO_HANDLE => Err(Errno::NOSYS),
            call::WAIT_VBLANK => return self.wait_vblank(file, data, now_ns),
            call::CRTC_GET_SEQUENCE => self.get_sequence(data, now_ns),
            call::CRTC_QUEUE_SEQUENCE => self.queue_sequence(file, data, now_ns),
            call::MODE_GETRESOURCES => self.get_resources(file, data, memory),
            call::MODE_GETCRTC => self.get_crtc(data),
            call::MODE_SETCRTC => self.set_crtc(file, data, memory, now_ns),
            call::MODE_CURSOR | call::MODE_CURSOR2 => self.cursor(file, data, now_ns),
            call::MODE_GETGAMMA => self.get_gamma(data),
            call::MODE_SETGAMMA => self.set_gamma(data),
            call::MODE_GETENCODER => self.get_encoder(data),
            call::MODE_GETCONNECTOR => self.get_connector(file, data, memory),
            call::MODE_GETPROPERTY => self.get_property(data, memory),
            call::MODE_SETPROPERTY => self.set_connector_property(data, now_ns),
            call::MODE_GETPROPBLOB => self.get_blob(data, memory),
            call::MODE_GETFB => self.get_fb(file, caller.is_root, data),
            call::MODE_GETFB2 => self.get_fb2(file, caller.is_root, data),
            call::MODE_ADDFB => self.add_fb(file, data),
            call::MODE_ADDFB2 => self.add_fb2(file, data),
            call::MODE_RMFB => self.rm_fb(file, data, now_ns),
            call::MODE_PAGE_FLIP => self.page_flip(file, data, now_ns),
            call::MODE_DIRTYFB => self.dirty_fb(data, memory),
            call::MODE_CREATE_DUMB => self.create_dumb(file, data),
            call::MODE_MAP_DUMB => self.map_dumb(file, data),
            call::MODE_DESTROY_DUMB => self.destroy_dumb(file, data),
            call::MODE_GETPLANERESOURCES => self.get_plane_resources(file, data, memory),
            call::MODE_GETPLANE => self.get_plane(data, memory),
            call::MODE_SETPLANE => self.set_plane(data, now_ns),
            call::MODE_OBJ_GETPROPERTIES => self.get_object_properties(file, data, memory),
            call::MODE_OBJ_SETPROPERTY => self.set_object_property(data, now_ns),
            call::MODE_ATOMIC => return self.atomic(file, data, memory, now_ns),
            call::MODE_CREATEPROPBLOB => self.create_blob(file, data, memory),
            call::MODE_DESTROYPROPBLOB => self.destroy_blob(file, data),
            _ => Err(Errno::INVAL),
        };
        done.map(|()| Outcome::Done)
    }

    /// Takes events of a client; 0 where there are none, or the buffer is too short for the first.
    ///
    /// # Errors
    /// `BADF`.
    pub fn read_events(&mut self, file: FileId, buffer: &mut [u8]) -> Result<usize, Errno> {
        Ok(self.file(file)?.events.read(buffer))
    }

    /// Whether a client has events to read.
    pub fn has_events(&self, file: FileId) -> bool {
        self.files.get(&file).is_some_and(|file| !file.events.is_empty())
    }

    // ---- time ----

    /// When [`Device::expire`] has something to do next.
    pub fn next_deadline(&self) -> Option<u64> {
        self.waiting.iter().map(|waiting| self.pipes[waiting.pipe].clock.time_of(waiting.count)).min()
    }

    /// Sends the events of vertical blanks that have been by `now`.
    pub fn expire(&mut self, now_ns: u64) {
        let (due, rest): (Vec<Waiting>, Vec<Waiting>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| self.pipes[waiting.pipe].clock.time_of(waiting.count) <= now_ns);
        self.waiting = rest;
        for waiting in due {
            self.complete(&waiting, None);
        }
    }

    /// Sends an event, with the time of its blank or another.
    fn complete(&mut self, waiting: &Waiting, time_ns: Option<u64>) {
        let Some((file, user_data)) = waiting.event else { return };
        let pipe = &self.pipes[waiting.pipe];
        let time = time_ns.unwrap_or_else(|| pipe.clock.time_of(waiting.count));
        let record = events::record(waiting.kind, user_data, pipe.crtc, waiting.count, time);
        if let Some(file) = self.files.get_mut(&file) {
            file.events.push_reserved(record);
        }
    }

    /// Whether a flip waits for its blank.
    pub(crate) fn has_flip(&self, pipe: usize) -> bool {
        self.waiting.iter().any(|waiting| waiting.pipe == pipe && waiting.kind == Kind::Flip)
    }

    // ---- state ----

    /// Makes `next` the state, and the device show it. `again` are pipes whose picture has new contents though the framebuffer is the same.
    pub(crate) fn commit(&mut self, next: State, again: &[usize], now_ns: u64) {
        let old = std::mem::replace(&mut self.state, next);
        for (index, before) in old.iter().enumerate() {
            self.commit_clock(index, before, now_ns);
            self.commit_picture(index, before, again.contains(&index));
            self.commit_cursor(index, before);
        }
        let legacy: Vec<u32> = self.framebuffers.iter().filter(|(_, fb)| fb.owner.is_none()).map(|(id, _)| *id).collect();
        for id in legacy {
            if self.state.iter().all(|pipe| pipe.cursor.framebuffer != id)
                && let Some(framebuffer) = self.framebuffers.remove(&id)
            {
                self.backend.remove_framebuffer(id);
                self.unreference(framebuffer.buffer);
            }
        }
    }

    fn commit_clock(&mut self, index: usize, before: &PipeState, now_ns: u64) {
        let mode = self.state[index].running_mode().copied();
        if mode.as_ref() == before.running_mode() {
            return;
        }
        // Who waits for a blank of the old mode gets it now.
        let (mut now, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.pipe == index);
        self.waiting = rest;
        let clock = &mut self.pipes[index].clock;
        let count = clock.count(now_ns);
        match mode {
            Some(mode) => clock.start(now_ns, crate::mode::frame_ns(&mode)),
            None => clock.stop(now_ns),
        }
        for waiting in &mut now {
            waiting.count = count;
            self.complete(waiting, Some(now_ns));
        }
    }

    fn commit_picture(&mut self, index: usize, before: &PipeState, again: bool) {
        let scanout = self.state[index].scanout();
        if scanout == before.scanout() && !again {
            return;
        }
        let shown = scanout.as_ref().and_then(|scanout| {
            let framebuffer = self.framebuffers.get(&scanout.framebuffer)?;
            Some((scanout, &framebuffer.picture, &self.buffers.get(&framebuffer.buffer)?.memory))
        });
        self.backend.show(index, shown);
    }

    fn commit_cursor(&mut self, index: usize, before: &PipeState) {
        let (now, old) = (&self.state[index], before);
        let is_shown = |pipe: &PipeState| pipe.is_active && pipe.cursor.on_crtc && pipe.cursor.framebuffer != 0;
        let position = (now.cursor.crtc_x, now.cursor.crtc_y);
        let same_picture = now.cursor.framebuffer == old.cursor.framebuffer && now.cursor.hot == old.cursor.hot;
        match (is_shown(now), is_shown(old)) {
            (false, false) => {}
            (false, true) => self.backend.set_cursor(index, None, position),
            (true, true) if same_picture => {
                if position != (old.cursor.crtc_x, old.cursor.crtc_y) {
                    self.backend.move_cursor(index, position);
                }
            }
            (true, _) => {
                let image = self.cursor_image(index);
                self.backend.set_cursor(index, image.as_ref(), position);
            }
        }
    }

    /// The picture of the cursor plane, in the size that the device wants.
    pub(crate) fn cursor_image(&self, index: usize) -> Option<CursorImage> {
        let plane = self.state[index].cursor;
        let size = self.backend.limits().cursor?;
        let framebuffer = self.framebuffers.get(&plane.framebuffer)?;
        let memory = &self.buffers.get(&framebuffer.buffer)?.memory;
        let (picture, part) = (framebuffer.picture, plane.part());
        let mut pixels = vec![0u32; size.0 as usize * size.1 as usize];
        let width = part.width.min(size.0) as usize;
        let mut row = vec![0u8; width * 4];
        for y in 0..part.height.min(size.1) {
            let at = picture.offset as usize + (part.y + y) as usize * picture.pitch as usize + part.x as usize * 4;
            memory.read(at, &mut row);
            let target = &mut pixels[y as usize * size.0 as usize..][..width];
            for (pixel, bytes) in target.iter_mut().zip(row.as_chunks::<4>().0) {
                *pixel = u32::from_le_bytes(*bytes);
            }
        }
        Some(CursorImage { pixels, hot: plane.hot })
    }

    /// Parts of a framebuffer were drawn on.
    pub(crate) fn update_framebuffer(&mut self, id: u32, parts: &[Rect]) {
        for index in 0..self.state.len() {
            if let Some(scanout) = self.state[index].scanout().filter(|scanout| scanout.framebuffer == id) {
                let shown: Vec<Rect> = parts.iter().filter_map(|part| part.intersection(scanout.part)).collect();
                if let Some(framebuffer) = self.framebuffers.get(&id)
                    && let Some(buffer) = self.buffers.get(&framebuffer.buffer)
                    && !shown.is_empty()
                {
                    self.backend.update(index, &scanout, &framebuffer.picture, &buffer.memory, &shown);
                }
            }
            let cursor = self.state[index].cursor;
            if self.state[index].is_active && cursor.on_crtc && cursor.framebuffer == id {
                let image = self.cursor_image(index);
                self.backend.set_cursor(index, image.as_ref(), (cursor.crtc_x, cursor.crtc_y));
            }
        }
    }

    /// Shows what the text console wants, if no program has the display.
    fn show_console(&mut self, now_ns: u64) {
        if self.master.is_none()
            && let Some(console) = self.console.clone()
            && console != self.state
        {
            self.commit(console, &[], now_ns);
        }
    }

    /// The state that a change of a client works on: the console's own while a program has the display.
    pub(crate) fn base_state(&mut self, file: FileId) -> Result<State, Errno> {
        let is_console = self.file(file)?.kind == FileKind::Console;
        let blank = || vec![PipeState::default(); self.pipes.len()];
        Ok(if is_console { self.console.clone().unwrap_or_else(blank) } else { self.state.clone() })
    }

    /// Makes a state, changed from [`Device::base_state`], the client's.
    pub(crate) fn commit_for(&mut self, file: FileId, next: State, again: &[usize], now_ns: u64) -> Result<(), Errno> {
        if self.file(file)?.kind == FileKind::Console {
            self.console = Some(next);
            self.show_console(now_ns);
        } else {
            self.commit(next, again, now_ns);
        }
        Ok(())
    }

    // ---- hot plugging ----

    /// Asks the device for its outputs again. True where one has changed; clients should be told by a uevent then (`HOTPLUG=1`), and the
    /// console is, by an event.
    pub fn refresh_outputs(&mut self) -> bool {
        let outputs = self.backend.outputs();
        let mut changed = false;
        for (index, output) in outputs.into_iter().enumerate().take(self.pipes.len()) {
            if self.pipes[index].output != output {
                if self.pipes[index].output.edid != output.edid {
                    let edid = self.edid_blob(&output.edid);
                    self.pipes[index].edid = edid;
                }
                self.pipes[index].output = output;
                changed = true;
            }
        }
        if changed {
            for (_, file) in self.files().filter(|(_, file)| file.kind == FileKind::Console) {
                file.events.push_once(crate::uapi::event::DISPLAY_CHANGED);
            }
        }
        changed
    }

    /// The outputs: index, connector's id, whether something is connected, its modes and EDID.
    pub fn pipes(&self) -> &[Pipe] {
        &self.pipes
    }

    /// Whether an output shows something.
    pub fn is_enabled(&self, pipe: usize) -> bool {
        self.state.get(pipe).is_some_and(|pipe| pipe.is_active)
    }
}

/// Calls that only the current master may make.
fn needs_master(number: u8) -> bool {
    matches!(
        number,
        call::SET_VERSION
            | call::AUTH_MAGIC
            | call::MODE_SETCRTC
            | call::MODE_CURSOR
            | call::MODE_CURSOR2
            | call::MODE_SETGAMMA
            | call::MODE_SETPROPERTY
            | call::MODE_PAGE_FLIP
            | call::MODE_DIRTYFB
            | call::MODE_SETPLANE
            | call::MODE_OBJ_SETPROPERTY
            | call::MODE_ATOMIC
    )
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
