//! Classic BPF, as socket filters and seccomp use it: programs of a checked form, which always end.
//!
//! Source: "The BSD Packet Filter" (McCanne, Jacobson 1993) and Linux's `Documentation/networking/filter.rst`.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

use alloc::vec::Vec;

/// Most instructions of a program (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;
/// Words of scratch memory (`BPF_MEMWORDS`).
const MEMORY: usize = 16;

/// `struct sock_filter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instruction {
    /// Class, size, mode and operation.
    pub code: u16,
    /// How many instructions to skip where the comparison holds.
    pub jump_true: u8,
    /// And where it does not.
    pub jump_false: u8,
    /// A constant.
    pub k: u32,
}

/// The program is not of the form that is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// What a program looks at.
pub trait Packet {
    /// Its length in bytes.
    fn len(&self) -> u32;
    /// `size` (1, 2 or 4) bytes at an offset as a number; `None` where they are not there.
    fn load(&self, offset: u32, size: u32) -> Option<u32>;
    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The bytes of a packet, in network byte order.
impl Packet for [u8] {
    fn len(&self) -> u32 {
        u32::try_from(<[u8]>::len(self)).unwrap_or(u32::MAX)
    }

    fn load(&self, offset: u32, size: u32) -> Option<u32> {
        let start = usize::try_from(offset).ok()?;
        let bytes = self.get(start..start.checked_add(size as usize)?)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }
}

/// A checked program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(Vec<Instruction>);

/// Classes.
const LD: u16 = 0;
const LDX: u16 = 1;
const ST: u16 = 2;
const STX: u16 = 3;
const ALU: u16 = 4;
const JMP: u16 = 5;
const RET: u16 = 6;
const MISC: u16 = 7;
/// Modes of loads.
const IMM: u16 = 0x00;
const ABS: u16 = 0x20;
const IND: u16 = 0x40;
const MEM: u16 = 0x60;
const LEN: u16 = 0x80;
const MSH: u16 = 0xa0;
/// The operand is X.
const X: u16 = 0x08;
/// `ret a`
const A: u16 = 0x10;

const fn size(code: u16) -> Option<u32> {
    match code & 0x18 {
        0x00 => Some(4),
        0x08 => Some(2),
        0x10 => Some(1),
        _ => None,
    }
}

/// Whether an instruction is one at all, and its constant is within bounds.
fn is_known(instruction: &Instruction, left: usize) -> bool {
    let Instruction { code, jump_true, jump_false, k } = *instruction;
    let in_memory = (k as usize) < MEMORY;
    match code & 7 {
        LD => match code & 0xe0 {
            ABS | IND => code & 0x18 != 0x18 && code & !0x7f == 0,
            _ if code == LD | IMM || code == LD | LEN => true,
            MEM => code == LD | MEM && in_memory,
            _ => false,
        },
        LDX => match code {
            _ if code == LDX | IMM || code == LDX | LEN => true,
            _ if code == LDX | MEM => in_memory,
            _ => code == LDX | MSH | 0x10,
        },
        ST | STX => code & !7 == 0 && in_memory,
        ALU => match code & 0xf0 {
            0x00 | 0x10 | 0x20 | 0x40 | 0x50 | 0xa0 => code & !0xff == 0,
            // Division by a constant 0, shifts by more than a word.
            0x30 | 0x90 => code & !0xff == 0 && (code & X != 0 || k != 0),
            0x60 | 0x70 => code & !0xff == 0 && (code & X != 0 || k < 32),
            0x80 => code == ALU | 0x80,
            _ => false,
        },
        JMP => match code & 0xf0 {
            0x00 => code == JMP && (k as usize) < left,
            0x10 | 0x20 | 0x30 | 0x40 => code & !0xff == 0 && usize::from(jump_true) < left && usize::from(jump_false) < left,
            _ => false,
        },
        RET => code == RET || code == RET | A,
        MISC => code == MISC || code == MISC | 0x80,
        _ => false,
    }
}

impl Program {
    /// Checks a program: every instruction is known, jumps go forwards and stay inside, the last instruction returns.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn new(instructions: Vec<Instruction>) -> Result<Self, Invalid> {
        let count = instructions.len();
        let all_known = instructions.iter().enumerate().all(|(at, instruction)| is_known(instruction, count - at - 1));
        let returns = instructions.last().is_some_and(|last| last.code & 7 == RET);
        if count <= MAX_INSTRUCTIONS && all_known && returns { Ok(Program(instructions)) } else { Err(Invalid) }
    }

    /// The instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }

    /// Runs it: the value returned; 0 where it reads beyond the packet or divides by 0.
    pub fn run<P: Packet + ?Sized>(&self, packet: &P) -> u32 {
        self.try_run(packet).unwrap_or(0)
    }

    fn try_run<P: Packet + ?Sized>(&self, packet: &P) -> Option<u32> {
        let (mut a, mut x, mut memory) = (0u32, 0u32, [0u32; MEMORY]);
        let mut at = 0;
        loop {
            let Instruction { code, jump_true, jump_false, k } = *self.0.get(at)?;
            at += 1;
            let operand = if code & X != 0 { x } else { k };
            match code & 7 {
                LD => {
                    a = match code & 0xe0 {
                        IMM => k,
                        ABS => packet.load(k, size(code)?)?,
                        IND => packet.load(x.checked_add(k)?, size(code)?)?,
                        MEM => *memory.get(k as usize)?,
                        _ => packet.len(),
                    }
                }
                LDX => {
                    x = match code & 0xe0 {
                        IMM => k,
                        MEM => *memory.get(k as usize)?,
                        LEN => packet.len(),
                        // The length of an IP header.
                        _ => (packet.load(k, 1)? & 0xf) << 2,
                    }
                }
                ST => *memory.get_mut(k as usize)? = a,
                STX => *memory.get_mut(k as usize)? = x,
                ALU => {
                    a = match code & 0xf0 {
                        0x00 => a.wrapping_add(operand),
                        0x10 => a.wrapping_sub(operand),
                        0x20 => a.wrapping_mul(operand),
                        0x30 => a.checked_div(operand)?,
                        0x40 => a | operand,
                        0x50 => a & operand,
                        0x60 => a.wrapping_shl(operand),
                        0x70 => a.wrapping_shr(operand),
                        0x80 => a.wrapping_neg(),
                        0x90 => a.checked_rem(operand)?,
                        _ => a ^ operand,
                    }
                }
                JMP => {
                    let holds = match code & 0xf0 {
                        0x00 => {
                            at += k as usize;
                            continue;
                        }
                        0x10 => a == operand,
                        0x20 => a > operand,
                        0x30 => a >= operand,
                        _ => a & operand != 0,
                    };
                    at += usize::from(if holds { jump_true } else { jump_false });
                }
                RET => return Some(if code & A != 0 { a } else { k }),
                _ if code & 0x80 != 0 => a = x,
                _ => x = a,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn op(code: u16, k: u32) -> Instruction {
        Instruction { code, k, ..Instruction::default() }
    }

    fn jump(code: u16, k: u32, jump_true: u8, jump_false: u8) -> Instruction {
        Instruction { code, jump_true, jump_false, k }
    }

    #[test]
    fn a_filter_like_libudevs_passes_what_it_names() {
        // The word at 8 is the magic number, and the word at 12 one of two.
        let program = Program::new(vec![
            op(0x20, 8),
            jump(0x15, 0xfeed_cafe, 1, 0),
            op(0x06, u32::MAX),
            op(0x20, 12),
            jump(0x15, 7, 1, 0),
            jump(0x15, 8, 0, 1),
            op(0x06, u32::MAX),
            op(0x06, 0),
        ])
        .unwrap();
        let packet = |magic: u32, word: u32| [&[0; 8][..], &magic.to_be_bytes(), &word.to_be_bytes()].concat();
        let run = |bytes: &[u8]| program.run(bytes);
        assert_eq!(run(&packet(1, 0)), u32::MAX);
        assert_eq!(run(&packet(0xfeed_cafe, 7)), u32::MAX);
        assert_eq!(run(&packet(0xfeed_cafe, 8)), u32::MAX);
        assert_eq!(run(&packet(0xfeed_cafe, 9)), 0);
        assert_eq!(run(&[0; 10]), 0, "too short");
    }

    #[test]
    fn programs_that_could_leave_their_bounds_are_refused() {
        for bad in [
            vec![],
            vec![op(0x20, 0)],
            vec![op(0x05, 1), op(0x06, 0)],
            vec![jump(0x15, 0, 1, 0), op(0x06, 0)],
            vec![op(0x02, 16), op(0x06, 0)],
            vec![op(0x34, 0), op(0x06, 0)],
            vec![op(0x64, 32), op(0x06, 0)],
            vec![op(0xffff, 0), op(0x06, 0)],
            vec![op(0x06, 0); MAX_INSTRUCTIONS + 1],
        ] {
            assert_eq!(Program::new(bad.clone()), Err(Invalid), "{bad:?}");
        }
    }

    #[test]
    fn arithmetic_memory_and_registers() {
        let program = vec![op(0x00, 6), op(0x02, 3), op(0x01, 2), op(0x0c, 0), op(0x61, 3), op(0x2c, 0), op(0x1c, 0), op(0x16, 0)];
        assert_eq!(Program::new(program).unwrap().run(&[][..]), (6 + 2) * 6 - 6);
        // Division by X = 0 ends with 0.
        let program = vec![op(0x00, 6), op(0x3c, 0), op(0x06, 9)];
        assert_eq!(Program::new(program).unwrap().run(&[][..]), 0);
    }
}
