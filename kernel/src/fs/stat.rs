//! Attributes of files.

/// The type bits of a mode (`inode(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FileType {
    /// `S_IFIFO`
    Fifo = 0o010000,
    /// `S_IFCHR`
    CharDevice = 0o020000,
    /// `S_IFDIR`
    Directory = 0o040000,
    /// `S_IFBLK`
    BlockDevice = 0o060000,
    /// `S_IFREG`
    Regular = 0o100000,
    /// `S_IFLNK`
    Symlink = 0o120000,
    /// `S_IFSOCK`
    Socket = 0o140000,
}

impl FileType {
    /// From the type bits of a mode; `None` where they name no type.
    pub fn from_mode(mode: u32) -> Option<Self> {
        Some(match mode & 0o170000 {
            0o010000 => Self::Fifo,
            0o020000 => Self::CharDevice,
            0o040000 => Self::Directory,
            0o060000 => Self::BlockDevice,
            0o100000 => Self::Regular,
            0o120000 => Self::Symlink,
            0o140000 => Self::Socket,
            _ => return None,
        })
    }

    /// The `d_type` of `getdents64(2)`.
    pub fn dirent_type(self) -> u8 {
        ((self as u32) >> 12) as u8
    }
}

/// What `stat(2)` tells. Times are nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attr {
    /// Device number of the filesystem, as `makedev(3)` packs it.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Number of hard links.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number, for device nodes.
    pub rdev: u64,
    /// Size in bytes.
    pub size: u64,
    /// Preferred I/O size in bytes.
    pub blksize: u32,
    /// Blocks of 512 bytes in use.
    pub blocks: u64,
    /// Last access.
    pub atime_ns: i64,
    /// Last change of the data.
    pub mtime_ns: i64,
    /// Last change of data or attributes.
    pub ctime_ns: i64,
}

impl Attr {
    /// The type bits as an enum; regular where they are nonsense.
    pub fn file_type(&self) -> FileType {
        FileType::from_mode(self.mode).unwrap_or(FileType::Regular)
    }
}

/// What `statfs(2)` tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatFs {
    /// Filesystem magic number.
    pub magic: u64,
    /// Block size in bytes.
    pub block_size: u64,
    /// All blocks.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Free blocks for ordinary users.
    pub blocks_available: u64,
    /// All inodes (0 where unknown).
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
    /// Longest name in bytes.
    pub name_max: u64,
    /// Mount flags, `ST_*`.
    pub flags: u64,
}
