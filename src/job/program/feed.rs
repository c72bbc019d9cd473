//! What a program finds on its standard input.

use std::os::fd::OwnedFd;
use std::process::ChildStdin;

use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Sender;
use tokio::task::JoinHandle;

/// Writes all of it and closes the pipe. A program that does not read it, or not all, is right to:
/// whoever starts it aborts this at its end.
pub(super) fn feed(pipe: ChildStdin, input: Vec<u8>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Ok(mut pipe) = Sender::from_owned_fd(OwnedFd::from(pipe)) else {
            return;
        };
        let _ = pipe.write_all(&input).await;
    })
}
