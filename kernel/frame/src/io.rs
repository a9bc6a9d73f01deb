//! I/O ports.

/// One I/O port. Ports are privileged: a device told to write to memory by DMA can write anywhere. Only drivers in the kernel, and `/dev/port` for root, use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(pub u16);

macro_rules! port_access {
    ($read:ident, $write:ident, $type:ty, $reg:tt, $in:ident, $out:ident) => {
        impl Port {
            #[doc = concat!("Reads a `", stringify!($type), "`.")]
            #[inline]
            pub fn $read(self) -> $type {
                $in(self.0)
            }
            #[doc = concat!("Writes a `", stringify!($type), "`.")]
            #[inline]
            pub fn $write(self, value: $type) {
                $out(self.0, value)
            }
        }
        #[doc = concat!("Reads a `", stringify!($type), "` from `port`. Privileged, see [`Port`].")]
        #[inline]
        pub fn $in(port: u16) -> $type {
            let value: $type;
            // SAFETY: `in` touches no memory and no stack; what devices do is outside of the compiler's model (see Port).
            unsafe { core::arch::asm!(concat!("in ", $reg, ", dx"), in("dx") port, out($reg) value, options(nomem, nostack, preserves_flags)) };
            value
        }
        #[doc = concat!("Writes a `", stringify!($type), "` to `port`. Privileged, see [`Port`].")]
        #[inline]
        pub fn $out(port: u16, value: $type) {
            // SAFETY: as above. Not `nomem`: the device may be told to look at memory written before.
            unsafe { core::arch::asm!(concat!("out dx, ", $reg), in("dx") port, in($reg) value, options(nostack, preserves_flags)) };
        }
    };
}

port_access!(read_u8, write_u8, u8, "al", inb, outb);
port_access!(read_u16, write_u16, u16, "ax", inw, outw);
port_access!(read_u32, write_u32, u32, "eax", inl, outl);
