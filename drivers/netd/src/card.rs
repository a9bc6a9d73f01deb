//! The network card as the stack's protocols see it.

use crate::ended;
use crate::inspect::{self, Inspected};
use crate::neighbours::Neighbours;
use net_abi::ToKernel;
use network_device::MOST_FRAME;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Where frames come from and go to.
pub trait Frames {
    /// Takes a received frame into the beginning of `frame`; its length.
    fn receive(&mut self, frame: &mut [u8; MOST_FRAME]) -> Option<usize>;
    /// Whether a frame can be sent now.
    fn can_send(&mut self) -> bool;
    /// Sends a frame.
    fn send(&mut self, frame: &[u8]);
}

impl Frames for network_device::Client {
    fn receive(&mut self, frame: &mut [u8; MOST_FRAME]) -> Option<usize> {
        network_device::Client::receive(self, frame)
    }

    fn can_send(&mut self) -> bool {
        network_device::Client::can_send(self)
    }

    fn send(&mut self, frame: &[u8]) {
        network_device::Client::send(self, frame);
    }
}

/// A card, which may be away while its driver is started again: then nothing comes, and what is sent is lost.
pub struct Card<F> {
    /// The driver's rings.
    pub frames: Option<F>,
    /// Whom we know on the link.
    pub neighbours: Neighbours,
    /// Greatest packet.
    pub mtu: usize,
    /// Switched on.
    pub is_up: bool,
    /// Frames could not be sent for want of buffers.
    pub is_crowded: bool,
    /// Copies of frames, as messages to the kernel; `None` where nobody wants them.
    pub captured: Option<Captured>,
    now: Instant,
    incoming: Box<[u8; MOST_FRAME]>,
    incoming_len: usize,
    outgoing: Box<[u8; MOST_FRAME]>,
}

impl<F: Frames> Card<F> {
    /// A card that is away.
    pub fn new(mtu: usize) -> Self {
        Self {
            frames: None,
            neighbours: Neighbours::default(),
            mtu: mtu.min(MOST_FRAME - ETHERNET),
            is_up: true,
            is_crowded: false,
            captured: None,
            now: Instant::ZERO,
            incoming: Box::new([0; MOST_FRAME]),
            incoming_len: 0,
            outgoing: Box::new([0; MOST_FRAME]),
        }
    }

    /// Takes the next frame in, and says what must be known of it before the protocols see it. `None` where there is no frame.
    pub fn take(&mut self, now: Instant) -> Option<Inspected> {
        self.now = now;
        loop {
            let len = self.frames.as_mut()?.receive(&mut self.incoming)?;
            if !self.is_up {
                continue;
            }
            self.incoming_len = len;
            let frame = &self.incoming[..len];
            if let Some(captured) = &mut self.captured {
                captured.add(0, false, frame);
            }
            self.neighbours.hear(frame, now);
            return Some(inspect::frame(frame));
        }
    }

    /// Acknowledges the frame that was taken in by the stack itself, and drops it.
    pub fn acknowledge(&mut self) {
        let len = core::mem::take(&mut self.incoming_len);
        if let Some(answer) = ended::acknowledge(&self.incoming[..len])
            && let Some(frames) = &mut self.frames
        {
            if let Some(captured) = &mut self.captured {
                captured.add(0, true, &answer);
            }
            frames.send(&answer);
        }
    }

    /// Sends a frame of a program's as it is; it is lost where there is no buffer, or the card is away.
    pub fn send(&mut self, id: u64, frame: &[u8]) {
        let Some(frames) = self.frames.as_mut().filter(|_| self.is_up) else { return };
        if frame.len() > MOST_FRAME || !frames.can_send() {
            return;
        }
        if let Some(captured) = &mut self.captured {
            captured.add(id, true, frame);
        }
        frames.send(frame);
    }
}

/// Copies of frames that the kernel wants to see, until they are told.
#[derive(Default)]
pub struct Captured(Vec<u8>);

impl Captured {
    /// Bytes that wait at most: what comes then is not seen.
    const MOST: usize = 1 << 20;

    fn add(&mut self, id: u64, is_sent: bool, frame: &[u8]) {
        if self.0.len() < Self::MOST {
            ToKernel::Frame { is_sent, bytes: frame }.encode(id, &mut self.0);
        }
    }

    /// Moves them behind other messages.
    pub fn take(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.0);
    }
}

/// The frame that was taken in.
pub struct Received<'a>(&'a [u8]);

impl RxToken for Received<'_> {
    fn consume<R, G: FnOnce(&[u8]) -> R>(self, use_frame: G) -> R {
        use_frame(self.0)
    }
}

/// A frame to be sent.
pub struct ToSend<'a, F> {
    frames: Option<&'a mut F>,
    neighbours: &'a mut Neighbours,
    captured: Option<&'a mut Captured>,
    buffer: &'a mut [u8; MOST_FRAME],
    now: Instant,
}

impl<F: Frames> TxToken for ToSend<'_, F> {
    fn consume<R, G: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: G) -> R {
        let frame = &mut self.buffer[..len];
        let result = fill(frame);
        self.neighbours.ask(frame, self.now);
        if let Some(frames) = self.frames {
            if let Some(captured) = self.captured {
                captured.add(0, true, frame);
            }
            frames.send(frame);
        }
        result
    }
}

impl<F: Frames> Device for Card<F> {
    type RxToken<'a>
        = Received<'a>
    where
        F: 'a;
    type TxToken<'a>
        = ToSend<'a, F>
    where
        F: 'a;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, ToSend<'_, F>)> {
        let len = core::mem::take(&mut self.incoming_len);
        if len == 0 {
            return None;
        }
        // An answer that there is no buffer for gets lost, as it may on the way.
        let send = ToSend { frames: self.frames.as_mut(), neighbours: &mut self.neighbours, captured: self.captured.as_mut(), buffer: &mut self.outgoing, now: self.now };
        Some((Received(&self.incoming[..len]), send))
    }

    fn transmit(&mut self, now: Instant) -> Option<ToSend<'_, F>> {
        self.now = now;
        // Where the card is away what is sent is lost: the protocols' timers go on.
        let mut frames = self.frames.as_mut().filter(|_| self.is_up);
        if let Some(frames) = &mut frames
            && !frames.can_send()
        {
            self.is_crowded = true;
            return None;
        }
        Some(ToSend { frames, neighbours: &mut self.neighbours, captured: self.captured.as_mut(), buffer: &mut self.outgoing, now })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.mtu + ETHERNET;
        capabilities
    }
}
