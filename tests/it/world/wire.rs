//! A wire between the client and the server that damages bodies on their way, as a broken router
//! does: neither end knows of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use super::World;

/// What is damaged, and how.
#[derive(Debug, Clone)]
pub(crate) struct Blow {
    /// The side of an exchange that is struck.
    pub(crate) of: Body,
    /// The request's method …
    pub(crate) method: &'static str,
    /// … and what stands somewhere in its path and query.
    pub(crate) path: &'static str,
    pub(crate) damage: Damage,
    /// How many exchanges are struck.
    pub(crate) times: usize,
}

/// Which of the two bodies of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Request,
    Answer,
}

/// What happens at which byte of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// One bit of it is flipped.
    Flip(usize),
    /// The connection ends before it.
    Cut(usize),
    /// Nothing moves any more from it on, and nobody is told.
    Hold(usize),
}

/// The wire: it strikes whatever it was last told to, and remembers what was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(
    Arc<Mutex<Vec<Blow>>>,
    Arc<Mutex<Vec<String>>>,
    Arc<AtomicUsize>,
);

impl Wire {
    /// Puts a wire between the runs of a world and its endpoint. Who asks the world itself is
    /// answered past it.
    pub(crate) fn between(world: &mut World) -> Self {
        let wire = Self::default();
        let server = world.endpoint.url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        world.endpoint.url = format!("http://{address}");
        let on = wire.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let refused = on.2.try_update(SeqCst, SeqCst, |left| left.checked_sub(1));
                if refused.is_ok() {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&server) else {
                    return;
                };
                on.connect(&client, &server);
            }
        });
        wire
    }

    /// Strikes this from now on, and nothing else.
    pub(crate) fn strike(&self, blows: &[Blow]) {
        *self.0.lock().expect("no panic while it is held") = blows.to_vec();
    }

    /// Closes so many of the next connections as soon as they are made.
    pub(crate) fn refuse(&self, connections: usize) {
        self.2.store(connections, SeqCst);
    }

    /// How many blows are still to fall.
    pub(crate) fn left(&self) -> usize {
        let blows = self.0.lock().expect("no panic while it is held");
        blows.iter().map(|blow| blow.times).sum()
    }

    /// The heads of all requests that passed so far: their first line and their headers, these with
    /// names in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.1.lock().expect("no panic while it is held").clone()
    }

    fn connect(&self, client: &TcpStream, server: &TcpStream) {
        let asked = Arc::new(Mutex::new(String::new()));
        for of in [Body::Request, Body::Answer] {
            let (from, to) = match of {
                Body::Request => (client, server),
                Body::Answer => (server, client),
            };
            let flow = Flow {
                wire: self.clone(),
                of,
                asked: Arc::clone(&asked),
                from: BufReader::new(from.try_clone().expect("a socket")),
                to: to.try_clone().expect("a socket"),
            };
            std::thread::spawn(move || flow.run());
        }
    }

    fn blow(&self, of: Body, request: &str) -> Option<Damage> {
        let mut blows = self.0.lock().expect("no panic while it is held");
        let blow = blows.iter_mut().find(|blow| {
            let is_it = request.starts_with(blow.method) && request.contains(blow.path);
            is_it && blow.of == of && blow.times > 0
        })?;
        blow.times -= 1;
        Some(blow.damage)
    }
}

/// One direction of a connection.
struct Flow {
    wire: Wire,
    of: Body,
    /// The request line last seen.
    asked: Arc<Mutex<String>>,
    from: BufReader<TcpStream>,
    to: TcpStream,
}

impl Flow {
    fn run(mut self) {
        while self.message().is_some() {}
        let _ = self.to.shutdown(Shutdown::Write);
    }

    /// Carries one message; `None` at the end of the connection.
    fn message(&mut self) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.from.read_until(b'\n', &mut head).ok()? == 0 {
                return None;
            }
        }
        let text = String::from_utf8_lossy(&head).to_lowercase();
        let first = String::from_utf8_lossy(&head);
        let first = first.lines().next()?.to_owned();
        if self.of == Body::Request {
            self.asked.lock().ok()?.clone_from(&first);
            let headers = text.split_once("\r\n").map_or("", |(_, headers)| headers);
            self.wire
                .1
                .lock()
                .ok()?
                .push(format!("{first}\r\n{headers}"));
        }
        let asked = self.asked.lock().ok()?.clone();
        assert!(!text.contains("transfer-encoding"), "{text}");
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
        let answer = self.of == Body::Answer;
        let succeeds = !answer || first.contains(" 200 ") || first.contains(" 206 ");
        let length = if answer && asked.starts_with("HEAD") {
            0
        } else {
            length
        };
        let damage = if succeeds && length > 0 {
            self.wire.blow(self.of, &asked)
        } else {
            None
        };
        self.to.write_all(&head).ok()?;
        self.body(length, damage)
    }

    fn body(&mut self, length: usize, damage: Option<Damage>) -> Option<()> {
        let mut buffer = vec![0; 64 << 10];
        let mut at = 0;
        while at < length {
            let wanted = buffer.len().min(length - at);
            let read = self.from.read(&mut buffer[..wanted]).ok()?;
            if read == 0 {
                return None;
            }
            let here = |place: usize| (at..at + read).contains(&place).then(|| place - at);
            match damage {
                Some(Damage::Flip(place)) => {
                    if let Some(place) = here(place) {
                        buffer[place] ^= 1;
                    }
                }
                Some(Damage::Cut(place)) => {
                    if let Some(place) = here(place) {
                        let _ = self.to.write_all(&buffer[..place]);
                        let _ = self.from.get_ref().shutdown(Shutdown::Both);
                        return None;
                    }
                }
                Some(Damage::Hold(place)) => {
                    if let Some(place) = here(place) {
                        let _ = self.to.write_all(&buffer[..place]);
                        // both connections stay open, and nothing is taken from either
                        loop {
                            std::thread::park();
                        }
                    }
                }
                None => {}
            }
            self.to.write_all(&buffer[..read]).ok()?;
            at += read;
        }
        Some(())
    }
}
