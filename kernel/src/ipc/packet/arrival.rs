//! A frame that has come by, and what its header says.

use crate::ipc::network::NetNamespace;
use crate::ipc::netdev;

use super::Kind;

/// Bytes of an Ethernet header.
pub const ETHERNET: usize = 14;
/// `struct sockaddr_ll`
pub const ADDRESS_BYTES: usize = 20;
const AF_PACKET: u16 = 17;
/// `ETH_P_802_3`, `ETH_P_802_2`: a header with a length, and what IEEE 802.2 puts behind it.
const WITH_LENGTH: u16 = 0x600;
const LLC: u16 = 4;

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To this machine.
    Received,
    /// From this machine.
    Sent,
}

/// `struct sockaddr_ll`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkAddress {
    /// EtherType.
    pub protocol: u16,
    /// The interface's number.
    pub index: u32,
    /// `ARPHRD_*`
    pub hardware: u16,
    /// `PACKET_*`: to whom it was sent.
    pub packet_type: u8,
    /// Bytes of the hardware address, and the address.
    pub len: u8,
    #[allow(missing_docs)]
    pub address: [u8; 8],
}

impl LinkAddress {
    /// From bytes; `None` where these are too few, or of another family.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let short = |at: usize| [bytes[at], bytes[at + 1]];
        if bytes.len() < ADDRESS_BYTES || u16::from_le_bytes(short(0)) != AF_PACKET {
            return None;
        }
        Some(Self {
            protocol: u16::from_be_bytes(short(2)),
            index: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            hardware: u16::from_le_bytes(short(8)),
            packet_type: bytes[10],
            len: bytes[11],
            address: bytes[12..].first_chunk().copied()?,
        })
    }

    /// As bytes.
    pub fn to_bytes(self) -> [u8; ADDRESS_BYTES] {
        let mut bytes = [0; ADDRESS_BYTES];
        bytes[..2].copy_from_slice(&AF_PACKET.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.protocol.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.index.to_le_bytes());
        bytes[8..10].copy_from_slice(&self.hardware.to_le_bytes());
        bytes[10..12].copy_from_slice(&[self.packet_type, self.len]);
        bytes[12..].copy_from_slice(&self.address);
        bytes
    }

    /// The address of Ethernet in it.
    pub fn whole(&self) -> Option<[u8; 6]> {
        if self.len < 6 { None } else { self.address.first_chunk().copied() }
    }
}

/// A frame that has come by.
pub struct Arrival<'a> {
    /// The interface's number.
    pub index: u32,
    /// Which way it went.
    pub direction: Direction,
    /// EtherType.
    pub protocol: u16,
    hardware: u16,
    packet_type: u8,
    frame: &'a [u8],
}

impl<'a> Arrival<'a> {
    /// A frame with an Ethernet header, as the loop-back device has one, too; `None` where that is cut off.
    pub fn new(net: &NetNamespace, index: u32, direction: Direction, frame: &'a [u8]) -> Option<Self> {
        /// `PACKET_HOST`, `PACKET_BROADCAST`, `PACKET_MULTICAST`, `PACKET_OTHERHOST`, `PACKET_OUTGOING`
        const TYPES: [u8; 5] = [0, 1, 2, 3, 4];
        let (receiver, rest) = frame.split_first_chunk::<6>()?;
        let number = rest.get(6..8)?;
        let number = u16::from_be_bytes([number[0], number[1]]);
        let interface = netdev::interfaces(net).into_iter().find(|it| it.index == index)?;
        let packet_type = match (direction, receiver) {
            (Direction::Sent, _) => TYPES[4],
            (_, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) => TYPES[1],
            (_, [first, ..]) if first & 1 != 0 => TYPES[2],
            (_, own) if *own == interface.mac => TYPES[0],
            _ => TYPES[3],
        };
        let protocol = if number >= WITH_LENGTH { number } else { LLC };
        Some(Self { index, direction, protocol, hardware: interface.hardware, packet_type, frame })
    }

    /// Its sender.
    pub fn address(&self) -> LinkAddress {
        let mut address = [0; 8];
        address[..6].copy_from_slice(&self.frame[6..12]);
        LinkAddress { protocol: self.protocol, index: self.index, hardware: self.hardware, packet_type: self.packet_type, len: 6, address }
    }

    /// It as a socket's type sees it.
    pub fn view(&self, kind: Kind) -> View<'_> {
        let (start, network) = if kind == Kind::Raw { (0, ETHERNET) } else { (ETHERNET, 0) };
        View { bytes: &self.frame[start..], network, arrival: self }
    }
}

/// What a socket sees of a frame, and its filter.
pub struct View<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where the packet begins in them.
    pub network: usize,
    arrival: &'a Arrival<'a>,
}

impl bpf::Packet for View<'_> {
    fn len(&self) -> u32 {
        bpf::Packet::len(self.bytes)
    }

    /// Offsets from the top are others than into the bytes (`linux/filter.h`): what is known of the frame, its packet, its header.
    fn load(&self, offset: u32, size: u32) -> Option<u32> {
        const ABOUT: u32 = -0x1000i32 as u32;
        const PACKET: u32 = -0x10_0000i32 as u32;
        const LINK: u32 = -0x20_0000i32 as u32;
        let frame = self.arrival.frame;
        match offset {
            ABOUT.. => Some(match offset - ABOUT {
                // SKF_AD_PROTOCOL, _PKTTYPE, _IFINDEX
                0 => self.arrival.protocol.into(),
                4 => self.arrival.packet_type.into(),
                8 => self.arrival.index,
                // _HATYPE
                28 => self.arrival.hardware.into(),
                // _MARK, _QUEUE, _RXHASH, _CPU, _VLAN_TAG, _VLAN_TAG_PRESENT, _VLAN_TPID: there is no such thing
                20 | 24 | 32 | 36 | 44 | 48 | 60 => 0,
                _ => return None,
            }),
            PACKET.. => bpf::Packet::load(&frame[ETHERNET..], offset - PACKET, size),
            LINK.. => bpf::Packet::load(frame, offset - LINK, size),
            _ => bpf::Packet::load(self.bytes, offset, size),
        }
    }
}
