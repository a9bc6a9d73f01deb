//! Frames between a network driver and the network stack.
//!
//! A driver serves `/scheme/network.<interface>`. Its file `frames` maps one region of memory: a page that describes the interface, four
//! rings, and buffers that the device itself reads and writes. A buffer travels round through two rings: received frames through
//! [`Rings::received`] to the stack and back through [`Rings::free`]; frames to be sent through [`Rings::to_send`] and back through [`Rings::sent`].
//! No frame is copied between the two processes, and a busy pair makes no system call for each: who finds nothing to do says so in the
//! region, and is woken through a pipe (files `wake` and `woken` of the scheme). A pipe's end also tells of the other side's death.
#![warn(missing_docs)]

mod client;
mod layout;
mod ring;

pub use client::{Client, OpenError};
pub use layout::{BUFFER_BYTES, BUFFERS, HEADER_BYTES, Interface, MOST_FRAME, REGION_BYTES, Region, Side};
pub use ring::{Entry, Ring, Rings};
