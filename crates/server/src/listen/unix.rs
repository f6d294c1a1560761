//! Unix sockets: for their owner only, and never one that a live server holds.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use super::BindError;

/// The file of a bound socket; removed with this, if it is still the same.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl SocketFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            // The next start removes what stays.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Binds `path` with mode 0600. A socket that nobody listens on any more is replaced.
pub fn bind(path: &Path) -> Result<(UnixListener, SocketFile), BindError> {
    let failed = |source: io::Error| BindError::Socket { path: path.to_owned(), source };
    let address = SockAddr::unix(path).map_err(|_| BindError::PathTooLong(path.to_owned()))?;
    // Two servers that start together must not both find the old socket stale, and one remove the other's new one.
    let folder = File::open(path.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    folder.lock().map_err(failed)?;
    remove_stale(path)?;

    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    socket.bind(&address).map_err(failed)?;
    // Nobody can connect before `listen`, so there is no moment at which the umask decides who may.
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    let file = SocketFile { path: path.to_owned(), inode: fs::symlink_metadata(path).map_err(failed)?.ino() };
    socket.listen(1024).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    let listener = UnixListener::from_std(socket.into()).map_err(failed)?;
    Ok((listener, file))
}

fn remove_stale(path: &Path) -> Result<(), BindError> {
    let failed = |source: io::Error| BindError::Socket { path: path.to_owned(), source };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !found.file_type().is_socket() {
        return Err(BindError::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(failed),
        // A full backlog is somebody's, too.
        Ok(_) => Err(BindError::Held(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(BindError::Held(path.to_owned())),
        Err(error) => Err(failed(error)),
    }
}
