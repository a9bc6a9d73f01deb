//! The GenAI OS kernel. See `README.md` beside this folder for its layers.
#![no_std]
#![no_main]
#![deny(unsafe_code)]

extern crate alloc;

mod boot;
mod devices;
mod error;
mod fs;
mod ipc;
mod log;
mod mm;
mod proc;
mod random;
mod scheme;
mod sync;
mod syscall;
mod task;
mod time;
mod user;

frame::entry!(boot::start);
