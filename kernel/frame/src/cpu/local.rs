//! The frame's data of each CPU.

#[inline]
pub fn irq_push() {
    todo!()
}

#[inline]
pub fn irq_pop() {
    todo!()
}
