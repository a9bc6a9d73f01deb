//! The mark of a disk whose installation has begun and not ended: its first sector says so to whoever starts from it, and there is no partition
//! table, so that nothing on the disk is taken for a system.

/// Bytes of a sector.
pub const SECTOR: usize = 512;

/// What a PC shows that starts from such a disk, and what the mark is known by.
pub const MESSAGE: &str = "GenAI OS: the installation on this disk was interrupted. Install again.\r\n";

/// Prints the text behind it by the BIOS, and stops: `xor ax, ax; mov ds, ax; cld; mov si, 0x7c19; next: lodsb; or al, al; jz stop; mov ah, 0x0e;
/// mov bx, 7; int 0x10; jmp next; stop: hlt; jmp stop`.
const CODE: [u8; 25] = [
    0x31, 0xc0, 0x8e, 0xd8, 0xfc, 0xbe, 0x19, 0x7c, 0xac, 0x08, 0xc0, 0x74, 0x09, 0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, 0xeb, 0xf2, 0xf4, 0xeb,
    0xfd,
];

/// The marked first sector.
pub fn sector() -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    sector[..CODE.len()].copy_from_slice(&CODE);
    sector[CODE.len()..][..MESSAGE.len()].copy_from_slice(MESSAGE.as_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// Whether a first sector is marked.
pub fn is_marked(sector: &[u8]) -> bool {
    sector.get(CODE.len()..).is_some_and(|rest| rest.starts_with(MESSAGE.as_bytes()))
}
