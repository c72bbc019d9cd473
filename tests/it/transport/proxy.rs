//! A proxy that wants to know who asks, and leads to one place whatever it is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::world::World;

/// `user:pass word` in base64.
const CREDENTIALS: &str = "basic dXNlcjpwYXNzIHdvcmQ=";

/// The user and the password as a URL has them.
pub(super) const USER: &str = "user:pass%20word";

/// A proxy under way.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Its host and port.
    pub(super) address: String,
    let_in: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy that leads to this address.
    pub(super) fn to(world: &World, server: &str) -> Self {
        let listener = world.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let let_in = Arc::new(AtomicUsize::new(0));
        let (server, count) = (server.to_owned(), Arc::clone(&let_in));
        world.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server.clone(), Arc::clone(&count)));
            }
        });
        Self { address, let_in }
    }

    /// How many connections it let in.
    pub(super) fn let_in(&self) -> usize {
        self.let_in.load(Ordering::Relaxed)
    }
}

/// The first request of a connection shows who asks; what follows goes where it led.
async fn serve(client: TcpStream, server: String, count: Arc<AtomicUsize>) -> Option<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let known = head.lines().any(|line| {
        let line = line.split_once(": ").unwrap_or_default();
        line.0.eq_ignore_ascii_case("proxy-authorization")
            && line.1.eq_ignore_ascii_case(CREDENTIALS)
    });
    if !known {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\
                       Proxy-Authenticate: Basic\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes()).await.ok();
    }
    count.fetch_add(1, Ordering::Relaxed);
    let mut server = TcpStream::connect(server).await.ok()?;
    if head.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
    } else {
        server.write_all(head.as_bytes()).await.ok()?;
    }
    let copied = tokio::io::copy_bidirectional(&mut client, &mut server);
    copied.await.ok().map(drop)
}
