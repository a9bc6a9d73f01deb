//! A value for each CPU.

use crate::cpu::{self, MAX_CPUS};

/// A value for each CPU. Since a thread may move to another CPU whenever it sleeps, and interrupt handlers see the same value, `T` is shared: atomics or a [`super::SpinLock`].
pub struct PerCpu<T> {
    values: [T; MAX_CPUS],
}

impl<T> PerCpu<T> {
    /// One value for each CPU, by CPU number.
    pub const fn from_array(values: [T; MAX_CPUS]) -> Self {
        PerCpu { values }
    }

    /// One value for each CPU, made by `make(cpu)`.
    pub fn new(make: impl FnMut(usize) -> T) -> Self {
        PerCpu { values: core::array::from_fn(make) }
    }
}

impl<T: Sync> PerCpu<T> {
    /// This CPU's value.
    #[inline]
    pub fn get(&self) -> &T {
        &self.values[cpu::id()]
    }

    /// The value of `cpu`, None where the number is too high.
    #[inline]
    pub fn on(&self, cpu: usize) -> Option<&T> {
        self.values.get(cpu)
    }

    /// The values of the CPUs that are there.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().take(cpu::count())
    }
}
