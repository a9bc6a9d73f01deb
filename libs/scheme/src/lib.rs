//! A library for scheme daemons: processes that serve `/scheme/<name>/...`.
//!
//! 1. Implement [`Scheme`]: every method answers `ENOSYS` until you write it. A filesystem whose names and data
//!    the kernel may cache implements [`FsScheme`] instead and is wrapped in [`Fs`].
//! 2. Create the scheme with [`SchemeSocket::create`] and hand it to a [`Server`].
//! 3. [`Server::run`] reads requests in batches, calls the methods, and writes the answers of a batch at once.
//!
//! A method that cannot answer yet returns [`Fail::Later`]; the answer follows through [`Outbox::answer`], from
//! another request or from an event on one of the descriptors given to [`Server::run_with`]. Requests that a signal
//! interrupts are cancelled through [`Scheme::cancel`].
//!
//! [`testing::Harness`] plays the kernel, so that daemons are tested on any Linux host.
//!
//! The wire format is that of the crate `scheme-abi`. Only Linux system calls are made.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod area;
mod caller;
mod dispatch;
mod error;
mod fs;
mod handles;
mod outbox;
#[allow(clippy::module_inception)]
mod scheme;
mod server;
mod socket;
pub mod testing;

pub use caller::CallerAccess;
pub use error::{Errno, Fail, Result, malformed, redox};
pub use fs::{Fs, FsScheme};
pub use handles::Handles;
pub use outbox::Outbox;
pub use scheme::{Context, Opened, Scheme};
pub use scheme_abi as abi;
pub use scheme_abi::{EventFlags, MapFlags, SchemeFlags, Stat, StatVfs};
pub use server::{Request, Server, Wake};
pub use socket::SchemeSocket;
