//! Sockets that process 1 opens for services (sd_listen_fds(3)).

use super::Manager;
use gci_units::UnitName;
use gci_units::unit::Listen;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram, UnixListener};

fn open(listen: &Listen, mode: u32) -> io::Result<OwnedFd> {
    let address = listen.address.as_str();
    if let Some(name) = address.strip_prefix('@') {
        let address = UnixAddress::from_abstract_name(name)?;
        return Ok(if listen.is_stream { UnixListener::bind_addr(&address)?.into() } else { UnixDatagram::bind_addr(&address)?.into() });
    }
    if address.starts_with('/') {
        if let Some(folder) = std::path::Path::new(address).parent() {
            std::fs::create_dir_all(folder)?;
        }
        match std::fs::symlink_metadata(address) {
            // Only a socket that is left over: another file is somebody's.
            Ok(old) if std::os::unix::fs::FileTypeExt::is_socket(&old.file_type()) => std::fs::remove_file(address)?,
            _ => {}
        }
        let socket: OwnedFd = if listen.is_stream { UnixListener::bind(address)?.into() } else { UnixDatagram::bind(address)?.into() };
        std::fs::set_permissions(address, std::fs::Permissions::from_mode(mode))?;
        return Ok(socket);
    }
    let address: SocketAddr = match address.parse::<u16>() {
        Ok(port) => SocketAddr::from(([0, 0, 0, 0], port)),
        Err(_) => address.parse().map_err(|_| io::Error::other(format!("{address} is no address")))?,
    };
    Ok(if listen.is_stream { TcpListener::bind(address)?.into() } else { UdpSocket::bind(address)?.into() })
}

impl Manager {
    /// Opens a unit's sockets, where they are not open.
    pub(super) fn listen(&mut self, name: &UnitName) -> io::Result<()> {
        let Some(record) = self.records.get_mut(name).filter(|it| it.sockets.is_empty()) else { return Ok(()) };
        for listen in &record.unit.sockets {
            let socket = open(listen, record.unit.socket_mode).map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {}: {error}", listen.address)))?;
            record.sockets.push(socket);
        }
        Ok(())
    }
}
