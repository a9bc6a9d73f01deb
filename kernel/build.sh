#!/bin/sh
# Builds the kernel; further arguments go to cargo (say --release). Prints where the ELF file is.
# With a toolchain that has the target x86_64-unknown-none installed plain `cargo build` in this folder is enough; Debian's
# toolchain ships the library sources instead (package rust-src), from which core and alloc are built.
set -eu
cd "$(dirname "$0")"
if [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; then
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc
    set -- /usr/bin/cargo build -Z build-std=core,alloc,compiler_builtins -Z build-std-features=compiler-builtins-mem "$@"
else
    set -- cargo build "$@"
fi
"$@"
profile=debug
case " $* " in *" --release "*) profile=release ;; esac
echo "${CARGO_TARGET_DIR:-target}/x86_64-unknown-none/$profile/kernel"
