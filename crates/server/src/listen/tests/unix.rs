//! Unix sockets.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};

use tokio::net::UnixStream;

use super::*;

fn at(path: &std::path::Path) -> Address {
    format!("unix:{}", path.display()).parse().unwrap()
}

#[tokio::test]
async fn a_socket_speaks_both_protocols_and_belongs_to_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outcrop.sock");
    let listener = bind(&at(&path)).await.unwrap();
    assert_eq!(listener.address().unwrap(), at(&path));
    let found = std::fs::symlink_metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let shutdown = CancellationToken::new();
    let whose = |request: Request<Body>| async move {
        let peer = request.extensions().get::<Peer>().unwrap().clone();
        assert!(peer.address.is_none() && !peer.secure);
        echo(request).await
    };
    let task = tokio::spawn(serve(listener, whose, LiveLimits::new(Limits::default()), None, shutdown.clone()));

    let io = TokioIo::new(UnixStream::connect(&path).await.unwrap());
    let (sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let one = Client::One(sender);
    let io = TokioIo::new(UnixStream::connect(&path).await.unwrap());
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    for mut client in [one, Client::Two(sender)] {
        assert_eq!(text(client.post("/a", "xyz").await.unwrap()).await, "POST /a 3");
    }
    shutdown.cancel();
    timeout(PATIENCE, task).await.unwrap().unwrap();
    assert!(!path.exists(), "the file goes with the server");
}

#[tokio::test]
async fn what_somebody_holds_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let first = bind(&at(&path)).await.unwrap();
    let inode = std::fs::symlink_metadata(&path).unwrap().ino();
    let error = bind(&at(&path)).await.unwrap_err();
    assert!(matches!(error, BindError::Held(_)) && error.to_string().contains("running server"), "{error}");
    assert_eq!(std::fs::symlink_metadata(&path).unwrap().ino(), inode);
    drop(first);
    assert!(!path.exists());

    // Left behind by a process that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let second = bind(&at(&path)).await.unwrap();
    // Replaced meanwhile: what is there now is not ours to remove.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "somebody's").unwrap();
    drop(second);
    let error = bind(&at(&path)).await.unwrap_err();
    assert!(matches!(error, BindError::NotASocket(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's");
}

#[tokio::test]
async fn a_path_that_cannot_be_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = bind(&at(&folder.path().join("x".repeat(120)))).await.unwrap_err();
    assert!(matches!(error, BindError::PathTooLong(_)) && error.to_string().contains("too long"), "{error}");
    let error = bind(&at(&folder.path().join("no/such/folder"))).await.unwrap_err();
    assert!(error.to_string().contains("folder must exist"), "{error}");
    for wrong in ["unix:", "unix:relative", "localhost", "7711"] {
        assert!(wrong.parse::<Address>().is_err(), "{wrong}");
    }
}
