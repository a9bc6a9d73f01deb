//! The device as a display. A framebuffer becomes a picture of the host's when it is first shown; what changes is copied there and shown.

use crate::protocol::{self, Area, answer, command, format};
use crate::queues::{GpuError, Queues};
use driver::dma::DmaMemory;
use drm::backend::{Backend, CursorImage, Identity, Limits, Output, Picture, Rect, Scanout};
use drm::fourcc::{self, Fourcc};
use drm::Errno;
use drm_daemon::{BufferMemory, Driver};
use std::collections::BTreeMap;
use virtio::{Allocate, Transport, negotiate, read_config_consistent, start};

/// Feature: the device tells EDIDs (section 5.7.3).
const EDID: u64 = 1 << 1;
/// Offsets in the configuration (section 5.7.4): events, their acknowledgement, number of scanouts.
const EVENTS_READ: usize = 0;
const EVENTS_CLEAR: usize = 4;
const NUM_SCANOUTS: usize = 8;
/// Event: displays have changed.
const EVENT_DISPLAY: u32 = 1;
/// Size of cursors.
const CURSOR: u32 = 64;
/// Resource ids of cursors come first: one for each scanout. Framebuffers have theirs after these.
const FIRST_RESOURCE: u32 = 1 + protocol::MAX_SCANOUTS as u32;
const FORMATS: &[Fourcc] = &[fourcc::XRGB8888, fourcc::ARGB8888];
/// Larger than any monitor, and small enough that a buffer is one piece of DMA memory.
const MAX_SIDE: u32 = 4096;

/// The device.
pub struct Gpu {
    device: Box<dyn Transport>,
    queues: Queues,
    scanouts: usize,
    has_edid: bool,
    unique: String,
    /// Memory of cursors, made when they are first set.
    cursors: Vec<Option<DmaMemory>>,
    allocate: Allocate,
    /// Framebuffers with a picture on the host's side: their resources.
    resources: BTreeMap<u32, u32>,
    last_resource: u32,
    failure: Option<GpuError>,
}

fn area(rect: Rect) -> Area {
    [rect.x, rect.y, rect.width, rect.height]
}

/// Width of the host's picture: its rows lie as closely as ours.
fn row_pixels(picture: &Picture) -> u32 {
    picture.pitch / 4
}

/// The commands that copy a part of a framebuffer to its resource and show it.
fn update_commands(resource: u32, picture: &Picture, part: Rect) -> [Vec<u8>; 2] {
    let offset = u64::from(part.y) * u64::from(picture.pitch) + u64::from(part.x) * 4;
    [protocol::transfer(resource, area(part), offset), protocol::flush(resource, area(part))]
}

impl Gpu {
    /// Resets the device and starts it; interrupts come by MSI-X entry 0.
    pub fn start(mut device: Box<dyn Transport>, allocate: Allocate, unique: String) -> Result<Self, GpuError> {
        let features = negotiate(&mut *device, 0, EDID)?;
        let mut config = [0; 4];
        read_config_consistent(&*device, NUM_SCANOUTS, &mut config);
        let scanouts = (u32::from_le_bytes(config) as usize).clamp(1, protocol::MAX_SCANOUTS);
        let queues = Queues::new(&mut *device, features, &allocate)?;
        device.set_config_vector(0)?;
        start(&mut *device);
        Ok(Self {
            device,
            queues,
            scanouts,
            has_edid: features & EDID != 0,
            unique,
            cursors: vec![None; scanouts],
            allocate,
            resources: BTreeMap::new(),
            last_resource: FIRST_RESOURCE - 1,
            failure: None,
        })
    }

    /// Runs commands; whether all went well. After a failure of the device nothing is sent any more.
    fn run(&mut self, commands: &[Vec<u8>]) -> bool {
        if self.failure.is_some() {
            return false;
        }
        match self.queues.run_all(&*self.device, commands) {
            Ok(is_good) => is_good,
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }

    fn ask(&mut self, command: Vec<u8>) -> Vec<u8> {
        if self.failure.is_some() {
            return Vec::new();
        }
        match self.queues.run(&*self.device, &[command]) {
            Ok(answers) => answers.into_iter().next().unwrap_or_default(),
            Err(error) => {
                self.failure = Some(error);
                Vec::new()
            }
        }
    }

    /// The resource of a framebuffer, made now if need be.
    fn resource(&mut self, framebuffer: u32, picture: &Picture, memory: &BufferMemory) -> Option<u32> {
        if let Some(resource) = self.resources.get(&framebuffer) {
            return Some(*resource);
        }
        self.last_resource = self.last_resource.checked_add(1).unwrap_or(FIRST_RESOURCE);
        let resource = self.last_resource;
        let kind = if picture.format == fourcc::ARGB8888 { format::B8G8R8A8 } else { format::B8G8R8X8 };
        let physical = memory.0.physical(picture.offset as usize);
        let len = memory.0.len() as u32 - picture.offset;
        let made = self.run(&[
            protocol::create(resource, kind, row_pixels(picture), picture.height),
            protocol::attach(resource, physical, len),
        ]);
        if made {
            self.resources.insert(framebuffer, resource);
        }
        made.then_some(resource)
    }

    fn output(&mut self, index: usize, enabled: Option<(u32, u32)>) -> Output {
        let mut edid = Vec::new();
        if self.has_edid {
            let bytes = self.ask(protocol::words(command::GET_EDID, &[index as u32, 0]));
            if protocol::word(&bytes, 0) == answer::OK_EDID {
                edid = drm::edid::trim(protocol::edid(&bytes)).to_vec();
            }
        }
        let parsed = drm::edid::parse(&edid).unwrap_or_default();
        let size = enabled.filter(|size| size.0 > 0 && size.1 > 0 && size.0 <= MAX_SIDE && size.1 <= MAX_SIDE);
        Output {
            is_connected: enabled.is_some(),
            modes: drm::mode::list(size, &parsed.modes, (MAX_SIDE, MAX_SIDE)),
            edid,
            size_mm: parsed.size_mm,
        }
    }
}

impl Backend for Gpu {
    type Memory = BufferMemory;

    fn identity(&self) -> Identity {
        Identity { name: "virtio_gpu", description: "virtio GPU", date: "0", version: (0, 1, 0), unique: self.unique.clone() }
    }

    fn limits(&self) -> Limits {
        Limits { max: (MAX_SIDE, MAX_SIDE), cursor: Some((CURSOR, CURSOR)), formats: FORMATS }
    }

    fn outputs(&mut self) -> Vec<Output> {
        let bytes = self.ask(protocol::words(command::GET_DISPLAY_INFO, &[]));
        let mut enabled = vec![None; self.scanouts];
        if protocol::word(&bytes, 0) == answer::OK_DISPLAY_INFO {
            enabled = protocol::scanouts(&bytes);
            enabled.truncate(self.scanouts);
        }
        enabled.into_iter().enumerate().map(|(index, size)| self.output(index, size)).collect()
    }

    fn allocate(&mut self, bytes: usize) -> Result<BufferMemory, Errno> {
        DmaMemory::from_kernel(bytes).map(BufferMemory).map_err(|_| Errno::NOMEM)
    }

    fn add_framebuffer(&mut self, _: u32, picture: &Picture, _: &BufferMemory) -> Result<(), Errno> {
        // The host knows no gap between rows but whole pixels.
        if picture.pitch.is_multiple_of(4) && row_pixels(picture) <= 4 * MAX_SIDE { Ok(()) } else { Err(Errno::INVAL) }
    }

    fn remove_framebuffer(&mut self, id: u32) {
        if let Some(resource) = self.resources.remove(&id) {
            self.run(&[protocol::unref(resource)]);
        }
    }

    fn show(&mut self, output: usize, scanout: Option<(&Scanout, &Picture, &BufferMemory)>) {
        let Some((scanout, picture, memory)) = scanout else {
            self.run(&[protocol::set_scanout(output as u32, 0, [0; 4])]);
            return;
        };
        let Some(resource) = self.resource(scanout.framebuffer, picture, memory) else { return };
        let [transfer, flush] = update_commands(resource, picture, scanout.part);
        // The picture first, so that nothing else is ever seen.
        self.run(&[transfer, protocol::set_scanout(output as u32, resource, area(scanout.part)), flush]);
    }

    fn update(&mut self, _: usize, scanout: &Scanout, picture: &Picture, memory: &BufferMemory, parts: &[Rect]) {
        let Some(resource) = self.resource(scanout.framebuffer, picture, memory) else { return };
        let commands: Vec<Vec<u8>> = parts.iter().flat_map(|part| update_commands(resource, picture, *part)).collect();
        self.run(&commands);
    }

    fn set_cursor(&mut self, output: usize, image: Option<&CursorImage>, position: (i32, i32)) {
        let (scanout, resource) = (output as u32, output as u32 + 1);
        let Some(image) = image else {
            self.send_cursor(&protocol::cursor(command::UPDATE_CURSOR, scanout, position, 0, (0, 0)));
            return;
        };
        if self.cursors[output].is_none() {
            let bytes = (CURSOR * CURSOR * 4) as usize;
            let Ok(memory) = (self.allocate)(bytes).inspect_err(|error| tracing::error!("no memory for a cursor: {error}")) else { return };
            let made = self.run(&[
                protocol::create(resource, format::B8G8R8A8, CURSOR, CURSOR),
                protocol::attach(resource, memory.physical(0), bytes as u32),
            ]);
            if !made {
                return;
            }
            self.cursors[output] = Some(memory);
        }
        if let Some(memory) = &self.cursors[output] {
            let bytes: Vec<u8> = image.pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
            memory.write(0, &bytes);
        }
        self.run(&[protocol::transfer(resource, [0, 0, CURSOR, CURSOR], 0)]);
        self.send_cursor(&protocol::cursor(command::UPDATE_CURSOR, scanout, position, resource, image.hot));
    }

    fn move_cursor(&mut self, output: usize, position: (i32, i32)) {
        self.send_cursor(&protocol::cursor(command::MOVE_CURSOR, output as u32, position, output as u32 + 1, (0, 0)));
    }
}

impl Gpu {
    fn send_cursor(&mut self, command: &[u8]) {
        if self.failure.is_none()
            && let Err(error) = self.queues.send_cursor(&*self.device, command)
        {
            self.failure = Some(error);
        }
    }
}

impl Driver for Gpu {
    fn interrupt(&mut self) -> anyhow::Result<bool> {
        let mut events = [0; 4];
        self.device.read_config(EVENTS_READ, &mut events);
        let events = u32::from_le_bytes(events);
        if events != 0 {
            self.device.write_config(EVENTS_CLEAR, &events.to_le_bytes());
        }
        Ok(events & EVENT_DISPLAY != 0)
    }

    fn failure(&mut self) -> Option<anyhow::Error> {
        self.failure.take().map(|error| anyhow::Error::from(error).context("the device is broken; a new driver will reset it"))
    }
}
