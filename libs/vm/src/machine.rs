//! What a machine is made of, as QEMU's command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::accel::Accel;

/// Name of the exec channel's virtio port.
pub const EXEC_PORT: &str = "gos.exec";

/// A machine: a q35 PC with virtio devices at fixed places.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// How its CPUs are run.
    pub accel: Accel,
    /// CPU model. `Nehalem` has no AVX, XSAVE, SMAP, PCID, RDRAND or TSC deadline timer: what runs on it runs anywhere.
    pub cpu: String,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Number of CPUs.
    pub cpus: u32,
    /// What it starts.
    pub boot: Boot,
    /// Its disk.
    pub disk: Option<Disk>,
    /// Its network; none where left out.
    #[serde(default)]
    pub network: Option<Network>,
    /// Where its screen is shown.
    pub display: Display,
    /// Where its serial line goes, besides the log.
    pub serial: Serial,
    /// Further arguments for QEMU.
    pub extra: Vec<String>,
}

/// What a machine starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Boot {
    /// A kernel that QEMU loads itself: an ELF by PVH, or Linux's bzImage.
    Kernel {
        /// The kernel.
        kernel: PathBuf,
        /// Its first module.
        initrd: Option<PathBuf>,
        /// Boot parameters.
        command_line: String,
    },
    /// The boot loader on the disk, or on a CD.
    Firmware {
        /// Which firmware.
        firmware: Firmware,
        /// A CD to start from; the disk otherwise.
        cdrom: Option<PathBuf>,
    },
}

/// A PC's firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Firmware {
    /// SeaBIOS.
    Bios,
    /// OVMF.
    Uefi,
}

/// A disk image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Disk {
    /// The file.
    pub path: PathBuf,
    /// `raw` or `qcow2`.
    pub format: DiskFormat,
    /// Whether changes are kept in the file.
    pub changes: Changes,
}

/// The format of a disk image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiskFormat {
    /// The sectors as they are.
    Raw,
    /// QEMU's own, over another image.
    Qcow2,
}

/// What becomes of writes to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changes {
    /// They go into the file.
    Keep,
    /// They are gone when QEMU ends.
    Discard,
}

/// A network of QEMU's own (user mode): the machine gets 10.0.2.15 by DHCP, and reaches this host as 10.0.2.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Whether the machine reaches more than this host and what is forwarded.
    pub reach: Reach,
    /// Ports of this host that lead into the machine.
    pub forwards: Vec<Forward>,
}

/// Where a machine's packets may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// Wherever this host's may.
    World,
    /// Into QEMU's network only: its gateway answers, and forwarded connections work. Connections to this host do not (`restrict=on`).
    Nowhere,
}

/// A port of this host's 127.0.0.1 that leads to a port of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// What is forwarded.
    pub protocol: Protocol,
    /// This host's port. QEMU does not start where it is taken.
    pub host: u16,
    /// The machine's port.
    pub guest: u16,
}

/// A transport protocol that QEMU forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Where a screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Display {
    /// A window.
    Window,
    /// A VNC server on 127.0.0.1:5900.
    Vnc,
    /// Nowhere; screenshots work.
    None,
}

/// Where a serial line goes, besides the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Serial {
    /// This process's terminal; Ctrl-A x ends QEMU.
    Terminal,
    /// A socket in the machine's directory.
    Socket,
}

/// Paths of a running machine, as QEMU needs them.
#[derive(Debug, Clone)]
pub struct Paths {
    /// QMP's socket.
    pub qmp: PathBuf,
    /// QEMU's end of the exec channel.
    pub port: PathBuf,
    /// The serial line.
    pub serial: PathBuf,
    /// The serial log.
    pub serial_log: PathBuf,
    /// This machine's copy of UEFI's variables.
    pub uefi_variables: PathBuf,
}

/// OVMF's code and its pristine variables, from Debian's package `ovmf`.
pub const OVMF_CODE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
/// See [`OVMF_CODE`].
pub const OVMF_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

impl Machine {
    /// QEMU's arguments.
    pub fn arguments(&self, paths: &Paths) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.add("-nodefaults");
        arguments.add("-no-user-config");
        arguments.add("-no-reboot");
        arguments.option("-machine", "q35");
        arguments.option("-accel", self.accel.argument());
        arguments.option("-cpu", &self.cpu);
        arguments.option("-m", self.memory_mib.to_string());
        arguments.option("-smp", self.cpus.to_string());
        self.boot_arguments(paths, &mut arguments);
        self.disk_arguments(&mut arguments);
        self.network_arguments(&mut arguments);
        arguments.option("-device", "virtio-vga,addr=0x2");
        match self.display {
            // Its window follows the guest's screen. GTK's begins with 640 by 480 pixels, and the guest follows that.
            Display::Window => arguments.option("-display", "sdl"),
            Display::Vnc => arguments.option("-vnc", "127.0.0.1:0"),
            Display::None => arguments.option("-display", "none"),
        }
        arguments.option("-device", "virtio-serial-pci,addr=0x4");
        arguments.option("-chardev", path("socket,id=exec,server=on,wait=off,path=", &paths.port));
        arguments.option("-device", format!("virtserialport,chardev=exec,name={EXEC_PORT}"));
        arguments.option("-object", "rng-random,id=entropy,filename=/dev/urandom");
        arguments.option("-device", "virtio-rng-pci,rng=entropy,addr=0x5");
        arguments.option("-device", "virtio-tablet-pci,addr=0x6");
        arguments.option("-device", "virtio-keyboard-pci,addr=0x7");
        arguments.option("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04");
        arguments.option("-chardev", path("socket,id=qmp,server=on,wait=off,path=", &paths.qmp));
        arguments.option("-mon", "chardev=qmp,mode=control");
        match self.serial {
            Serial::Terminal => {
                arguments.option("-chardev", path("stdio,id=serial,mux=on,signal=off,logfile=", &paths.serial_log));
                arguments.option("-mon", "chardev=serial,mode=readline");
            }
            Serial::Socket => {
                let mut serial = path("socket,id=serial,server=on,wait=off,path=", &paths.serial);
                serial.push(path(",logfile=", &paths.serial_log));
                arguments.option("-chardev", serial);
            }
        }
        arguments.option("-serial", "chardev:serial");
        arguments.0.extend(self.extra.iter().map(OsString::from));
        arguments.0
    }

    fn boot_arguments(&self, paths: &Paths, arguments: &mut Arguments) {
        match &self.boot {
            Boot::Kernel { kernel, initrd, command_line } => {
                arguments.option("-kernel", kernel);
                if let Some(initrd) = initrd {
                    arguments.option("-initrd", initrd);
                }
                arguments.option("-append", command_line);
            }
            Boot::Firmware { firmware, cdrom } => {
                if *firmware == Firmware::Uefi {
                    let code = path("if=pflash,unit=0,format=raw,readonly=on,file=", Path::new(OVMF_CODE));
                    arguments.option("-drive", code);
                    let variables = path("if=pflash,unit=1,format=raw,file=", &paths.uefi_variables);
                    arguments.option("-drive", variables);
                }
                if let Some(cdrom) = cdrom {
                    arguments.option("-drive", path("if=none,id=cd,media=cdrom,format=raw,readonly=on,file=", cdrom));
                    arguments.option("-device", "ide-cd,drive=cd,bootindex=0");
                }
            }
        }
    }

    fn disk_arguments(&self, arguments: &mut Arguments) {
        let Some(disk) = &self.disk else { return };
        let format = match disk.format {
            DiskFormat::Raw => "raw",
            DiskFormat::Qcow2 => "qcow2",
        };
        let snapshot = match disk.changes {
            Changes::Keep => "off",
            Changes::Discard => "on",
        };
        let options = format!("if=none,id=disk,format={format},snapshot={snapshot},discard=unmap,file=");
        arguments.option("-drive", path(&options, &disk.path));
        arguments.option("-device", "virtio-blk-pci,drive=disk,addr=0x3,bootindex=1");
    }

    fn network_arguments(&self, arguments: &mut Arguments) {
        let Some(network) = &self.network else { return };
        let restrict = match network.reach {
            Reach::World => "off",
            Reach::Nowhere => "on",
        };
        let mut options = format!("user,id=network,restrict={restrict}");
        for Forward { protocol, host, guest } in &network.forwards {
            let protocol = match protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            };
            options.push_str(&format!(",hostfwd={protocol}:127.0.0.1:{host}-:{guest}"));
        }
        arguments.option("-netdev", options);
        // No ROM: nothing starts from the network, and looking for one delays the firmware.
        arguments.option("-device", "virtio-net-pci,netdev=network,addr=0x8,romfile=");
    }
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn add(&mut self, argument: impl Into<OsString>) {
        self.0.push(argument.into());
    }

    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        self.add(name);
        self.add(value);
    }
}

/// A path in a list of options: QEMU wants its commas doubled.
fn path(options: &str, path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut bytes = options.as_bytes().to_vec();
    for &byte in path.as_os_str().as_bytes() {
        bytes.extend(std::iter::repeat_n(byte, 1 + usize::from(byte == b',')));
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_paths_are_doubled() {
        assert_eq!(path("file=", Path::new("/a,b/c")), OsString::from("file=/a,,b/c"));
    }

    fn machine() -> Machine {
        Machine {
            accel: Accel::Tcg,
            cpu: "Nehalem".into(),
            memory_mib: 512,
            cpus: 2,
            boot: Boot::Kernel { kernel: "k".into(), initrd: None, command_line: "a=1 b=2".into() },
            disk: None,
            network: None,
            display: Display::None,
            serial: Serial::Socket,
            extra: vec!["-S".into()],
        }
    }

    fn arguments(machine: &Machine) -> Vec<String> {
        let paths = Paths {
            qmp: "q".into(),
            port: "p".into(),
            serial: "s".into(),
            serial_log: "l".into(),
            uefi_variables: "v".into(),
        };
        machine.arguments(&paths).into_iter().map(|it| it.into_string().unwrap()).collect()
    }

    #[test]
    fn a_kernel_boot_passes_its_parameters_in_one_argument() {
        let arguments = arguments(&machine());
        let after = |name: &str| &arguments[arguments.iter().position(|it| it == name).unwrap() + 1];
        assert_eq!(after("-append"), "a=1 b=2");
        assert_eq!(after("-smp"), "2");
        assert!(!arguments.iter().any(|it| it == "-initrd"));
        assert_eq!(arguments.last().unwrap(), "-S");
    }
    #[test]
    fn a_network_forwards_ports_of_this_host_only() {
        let network = Network {
            reach: Reach::Nowhere,
            forwards: vec![
                Forward { protocol: Protocol::Tcp, host: 2222, guest: 22 },
                Forward { protocol: Protocol::Udp, host: 5353, guest: 53 },
            ],
        };
        let arguments = arguments(&Machine { network: Some(network), ..machine() });
        let expected = "user,id=network,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp:127.0.0.1:5353-:53";
        let at = arguments.iter().position(|it| it == "-netdev").unwrap();
        assert_eq!(arguments[at + 1], expected);
        assert!(arguments.iter().any(|it| it == "virtio-net-pci,netdev=network,addr=0x8,romfile="));
    }

    #[test]
    fn a_description_from_before_networks_has_none() {
        let mut description = serde_json::to_value(machine()).unwrap();
        assert!(description.as_object_mut().unwrap().remove("network").is_some());
        let machine: Machine = serde_json::from_value(description).unwrap();
        assert_eq!(machine.network, None);
        assert!(!arguments(&machine).iter().any(|it| it.contains("net")));
    }
}
