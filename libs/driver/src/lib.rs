//! What device drivers share.
//!
//! A driver is an ordinary process. It reaches its device only through files (`docs/src/contracts.md`, "What drivers get"):
//!
//! | module | what | file behind it |
//! | --- | --- | --- |
//! | [`address`], [`config`] | naming and reading PCI functions | `/scheme/pci/<address>/config` |
//! | [`pci`] | a function held by its driver | `/scheme/pci/<address>/...` |
//! | [`mmio`] | register windows | `barN`, `/scheme/memory/physical` |
//! | [`dma`] | memory that devices read and write | `dma/<bytes>`, `/scheme/memory/dma/<bytes>` |
//! | [`irq`] | interrupts | `msix/<n>`, `/scheme/irq/...` |
//! | [`port`] | I/O ports | `/dev/port` |
//!
//! Configuration space and ports are traits and DMA memory can be ordinary memory, so that drivers are tested on any
//! host against simulated devices.

pub mod address;
pub mod config;
pub mod dma;
pub mod irq;
pub mod mapping;
pub mod mmio;
pub mod pci;
pub mod port;
pub mod registration;
pub mod retry;
