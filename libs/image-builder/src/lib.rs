//! Makes GenAI OS's images.
//!
//! * [`recipe`]: what an image is made of (`recipes/`, `filesystem.toml`, `editions/`);
//! * [`lint`]: what is wrong with it, with lines and columns; [`workspace`]: its programs;
//! * [`debian`]: Debian's packages: the lock file, dependencies, downloads;
//! * [`pypi`]: files of Python's package index;
//! * [`update`]: newer versions of both, and pins of these;
//! * [`tree`]: a file tree with owners and modes, independent of the builder's user and filesystem;
//! * `packages`: a tree as packages, a repository of them, and its installation by gpm;
//! * [`cpio`], [`redoxfs`], [`disk`], [`linux`]: what trees are written into;
//! * [`table`], [`grub`]: what firmware finds on a disk, which the installer writes too;
//! * [`build`]: all of it in order, what has not changed not made again.
//!
//! Everything works without root, and gives the same bytes for the same inputs (but for identifiers that RedoxFS and ext4 draw).
#![deny(unsafe_code)]
mod base;
pub mod bounds;
pub mod build;
mod certificates;
pub mod cpio;
pub mod debian;
pub mod disk;
mod error;
mod ext4;
pub mod formats;
pub mod grub;
mod host;
mod iso;
mod licence;
pub mod lint;
pub mod linux;
mod packages;
pub mod pypi;
pub mod recipe;
pub mod redoxfs;
mod report;
pub mod seek;
pub mod table;
pub mod tree;
pub mod update;
mod window;
pub mod workspace;
pub use error::{Error, Result};
pub use host::HOST_PACKAGES;
pub use packages::installed;
pub use report::{Event, Report};
pub use window::Window;
