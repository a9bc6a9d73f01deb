//! Dumb buffers (`drm-memory(7)`) and framebuffers.

use crate::backend::{Backend, Picture};
use crate::device::{Device, FileId};
use crate::fourcc::{self, Fourcc};
use crate::memory::{decode, encode};
use crate::uapi::{CreateDumb, FbCmd, FbCmd2, GemClose, Id, MapDumb, fb};
use rustix::io::Errno;

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Where the offset for `mmap(2)` carries the buffer's number.
const OFFSET_SHIFT: u32 = 32;

/// A buffer. It lives as long as a handle or a framebuffer names it.
pub(crate) struct Buffer<M> {
    pub memory: M,
    /// Whole pages.
    pub bytes: u64,
    /// Handles and framebuffers.
    pub references: u32,
}

/// A framebuffer.
pub(crate) struct Framebuffer {
    pub picture: Picture,
    pub buffer: u32,
    /// Whose it is; `None` for the ones that legacy cursors get.
    pub owner: Option<FileId>,
}

impl<B: Backend> Device<B> {
    pub(crate) fn create_dumb(&mut self, file: FileId, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: CreateDumb = decode(data);
        if args.width == 0 || args.height == 0 || args.bpp == 0 || args.bpp > 32 {
            return Err(Errno::INVAL);
        }
        // 32-bit arithmetic must be enough, as in Linux.
        let pitch = args.width.checked_mul(args.bpp.div_ceil(8)).ok_or(Errno::INVAL)?;
        let size = pitch.checked_mul(args.height).filter(|size| *size <= u32::MAX - PAGE as u32).ok_or(Errno::INVAL)?;
        let bytes = u64::from(size).next_multiple_of(PAGE);
        let memory = self.backend.allocate(bytes as usize)?;
        let number = self.free_buffer_number();
        self.buffers.insert(number, Buffer { memory, bytes, references: 0 });
        let handle = match self.add_handle(file, number) {
            Ok(handle) => handle,
            Err(error) => {
                self.buffers.remove(&number);
                return Err(error);
            }
        };
        (args.pitch, args.size, args.handle) = (pitch, bytes, handle);
        encode(&args, data);
        Ok(())
    }

    fn free_buffer_number(&mut self) -> u32 {
        loop {
            self.last_buffer = self.last_buffer % 0x7fff_fffe + 1;
            if !self.buffers.contains_key(&self.last_buffer) {
                return self.last_buffer;
            }
        }
    }

    fn add_handle(&mut self, file: FileId, buffer: u32) -> Result<u32, Errno> {
        let handles = &mut self.file(file)?.handles;
        let handle = (1..u32::MAX).find(|handle| !handles.contains_key(handle)).ok_or(Errno::NOSPC)?;
        handles.insert(handle, buffer);
        self.reference(buffer);
        Ok(handle)
    }

    fn reference(&mut self, buffer: u32) {
        if let Some(buffer) = self.buffers.get_mut(&buffer) {
            buffer.references += 1;
        }
    }

    pub(crate) fn unreference(&mut self, number: u32) {
        if let Some(buffer) = self.buffers.get_mut(&number) {
            buffer.references -= 1;
            if buffer.references == 0 {
                self.buffers.remove(&number);
            }
        }
    }

    pub(crate) fn map_dumb(&mut self, file: FileId, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: MapDumb = decode(data);
        let buffer = *self.file(file)?.handles.get(&args.handle).ok_or(Errno::NOENT)?;
        args.offset = u64::from(buffer) << OFFSET_SHIFT;
        encode(&args, data);
        Ok(())
    }

    /// The address of what a client maps: `offset` is one that MAP_DUMB gave, or behind it within the buffer.
    ///
    /// # Errors
    /// `INVAL` where it is none, `ACCESS` where the client has no handle of the buffer.
    pub fn mmap(&mut self, file: FileId, offset: u64, size: u64) -> Result<usize, Errno> {
        let number = (offset >> OFFSET_SHIFT) as u32;
        let within = offset & ((1 << OFFSET_SHIFT) - 1);
        let buffer = self.buffers.get(&number).ok_or(Errno::INVAL)?;
        if within.checked_add(size).is_none_or(|end| end > buffer.bytes) {
            return Err(Errno::INVAL);
        }
        let address = crate::backend::Memory::address(&buffer.memory) + within as usize;
        if self.file(file)?.handles.values().any(|known| *known == number) { Ok(address) } else { Err(Errno::ACCESS) }
    }

    pub(crate) fn destroy_dumb(&mut self, file: FileId, data: &mut [u8]) -> Result<(), Errno> {
        self.close_handle(file, decode::<Id>(data).id)
    }

    pub(crate) fn gem_close(&mut self, file: FileId, data: &mut [u8]) -> Result<(), Errno> {
        self.close_handle(file, decode::<GemClose>(data).handle)
    }

    fn close_handle(&mut self, file: FileId, handle: u32) -> Result<(), Errno> {
        let buffer = self.file(file)?.handles.remove(&handle).ok_or(Errno::INVAL)?;
        self.unreference(buffer);
        Ok(())
    }

    pub(crate) fn add_fb(&mut self, file: FileId, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: FbCmd = decode(data);
        let format = fourcc::of_depth(args.bpp, args.depth).ok_or(Errno::INVAL)?;
        let picture = Picture { width: args.width, height: args.height, pitch: args.pitch, offset: 0, format };
        args.fb_id = self.add_picture(file, picture, args.handle)?;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn add_fb2(&mut self, file: FileId, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: FbCmd2 = decode(data);
        // No modifiers: their capability says so.
        if args.flags & !(fb::INTERLACED | fb::MODIFIERS) != 0 || args.flags & fb::MODIFIERS != 0 {
            return Err(Errno::INVAL);
        }
        let has_more_planes = (1..4).any(|plane| args.handles[plane] != 0 || args.pitches[plane] != 0 || args.offsets[plane] != 0);
        if has_more_planes || args.modifier != [0; 4] {
            return Err(Errno::INVAL);
        }
        let picture = Picture {
            width: args.width,
            height: args.height,
            pitch: args.pitches[0],
            offset: args.offsets[0],
            format: Fourcc(args.pixel_format),
        };
        args.fb_id = self.add_picture(file, picture, args.handles[0])?;
        encode(&args, data);
        Ok(())
    }

    /// Makes a framebuffer of a client's buffer; its id.
    fn add_picture(&mut self, file: FileId, picture: Picture, handle: u32) -> Result<u32, Errno> {
        let limits = self.backend.limits();
        let (pixel_bytes, _) = picture.format.layout().ok_or(Errno::INVAL)?;
        let is_known = limits.formats.contains(&picture.format) || limits.cursor.is_some() && picture.format == fourcc::ARGB8888;
        let fits = (1..=limits.max.0).contains(&picture.width) && (1..=limits.max.1).contains(&picture.height);
        if !is_known || !fits || handle == 0 {
            return Err(Errno::INVAL);
        }
        if u64::from(picture.pitch) < u64::from(picture.width) * u64::from(pixel_bytes) {
            return Err(Errno::INVAL);
        }
        let number = *self.file(file)?.handles.get(&handle).ok_or(Errno::NOENT)?;
        let rows = u64::from(picture.pitch) * u64::from(picture.height - 1);
        let end = rows + u64::from(picture.width) * u64::from(pixel_bytes) + u64::from(picture.offset);
        let id = self.new_id();
        let buffer = self.buffers.get(&number).ok_or(Errno::NOENT)?;
        if end > buffer.bytes {
            return Err(Errno::INVAL);
        }
        self.backend.add_framebuffer(id, &picture, &buffer.memory)?;
        self.framebuffers.insert(id, Framebuffer { picture, buffer: number, owner: Some(file) });
        self.reference(number);
        Ok(id)
    }

    /// A framebuffer for a cursor that was given as a buffer.
    pub(crate) fn add_cursor_fb(&mut self, file: FileId, handle: u32, width: u32, height: u32) -> Result<u32, Errno> {
        let picture = Picture { width, height, pitch: width * 4, offset: 0, format: fourcc::ARGB8888 };
        let id = self.add_picture(file, picture, handle)?;
        if let Some(framebuffer) = self.framebuffers.get_mut(&id) {
            framebuffer.owner = None;
        }
        Ok(id)
    }

    pub(crate) fn rm_fb(&mut self, file: FileId, data: &mut [u8], now_ns: u64) -> Result<(), Errno> {
        let id = decode::<Id>(data).id;
        if self.framebuffers.get(&id).is_none_or(|fb| fb.owner != Some(file)) {
            return Err(Errno::NOENT);
        }
        self.remove_framebuffer(id, now_ns);
        Ok(())
    }

    /// Removes a framebuffer; planes that show it show nothing then.
    pub(crate) fn remove_framebuffer(&mut self, id: u32, now_ns: u64) {
        let without = |state: &mut crate::objects::State| {
            for pipe in state.iter_mut() {
                for kind in [crate::objects::PlaneKind::Primary, crate::objects::PlaneKind::Cursor] {
                    let plane = pipe.plane_mut(kind);
                    if plane.framebuffer == id {
                        *plane = crate::objects::PlaneState::default();
                    }
                }
            }
        };
        let mut next = self.state.clone();
        without(&mut next);
        if next != self.state {
            self.commit(next, &[], now_ns);
        }
        if let Some(console) = &mut self.console {
            without(console);
        }
        if let Some(framebuffer) = self.framebuffers.remove(&id) {
            self.backend.remove_framebuffer(id);
            self.unreference(framebuffer.buffer);
        }
    }

    pub(crate) fn get_fb(&mut self, file: FileId, is_root: bool, data: &mut [u8]) -> Result<(), Errno> {
        let mut args: FbCmd = decode(data);
        let framebuffer = self.framebuffers.get(&args.fb_id).ok_or(Errno::NOENT)?;
        let (picture, buffer) = (framebuffer.picture, framebuffer.buffer);
        let (pixel_bytes, depth) = picture.format.layout().ok_or(Errno::INVAL)?;
        (args.width, args.height, args.pitch) = (picture.width, picture.height, picture.pitch);
        (args.bpp, args.depth) = (pixel_bytes * 8, depth);
        args.handle = self.handle_for_reading(file, is_root, buffer)?;
        encode(&args, data);
        Ok(())
    }

    pub(crate) fn get_fb2(&mut self, file: FileId, is_root: bool, data: &mut [u8]) -> Result<(), Errno> {
        let args: FbCmd2 = decode(data);
        let framebuffer = self.framebuffers.get(&args.fb_id).ok_or(Errno::NOENT)?;
        let (picture, buffer) = (framebuffer.picture, framebuffer.buffer);
        let handle = self.handle_for_reading(file, is_root, buffer)?;
        let answer = FbCmd2 {
            fb_id: args.fb_id,
            width: picture.width,
            height: picture.height,
            pixel_format: picture.format.0,
            handles: [handle, 0, 0, 0],
            pitches: [picture.pitch, 0, 0, 0],
            offsets: [picture.offset, 0, 0, 0],
            ..FbCmd2::default()
        };
        encode(&answer, data);
        Ok(())
    }

    /// A handle of a framebuffer's buffer, for who may see it; 0 for others.
    fn handle_for_reading(&mut self, file: FileId, is_root: bool, buffer: u32) -> Result<u32, Errno> {
        if !is_root && !self.is_current_master(file) {
            return Ok(0);
        }
        self.add_handle(file, buffer)
    }
}
