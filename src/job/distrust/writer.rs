//! The thread that writes lines down: who tells of an object waits for the disk only where what is
//! told must be there before anything else is done.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::file::{Line, LinesFile};

/// So many lines wait at most; who comes then, waits too.
const WAITING: usize = 1024;

/// So many are written at once.
const AT_ONCE: usize = 256;

/// A thread that writes to one file until it is dropped or finished.
#[derive(Debug)]
pub(super) struct Writer {
    orders: SyncSender<Order>,
    thread: JoinHandle<io::Result<()>>,
}

/// Tells when a line is on the disk, or could not be written.
#[derive(Debug)]
pub(super) struct Written(Receiver<()>);

#[derive(Debug)]
struct Order {
    line: Line,
    durably: bool,
    /// Closed when it is done.
    done: SyncSender<()>,
}

impl Writer {
    /// Starts it.
    pub(super) fn start(file: LinesFile) -> io::Result<Self> {
        let (orders, waiting) = sync_channel(WAITING);
        let thread = thread::Builder::new()
            .name("distrusted".to_owned())
            .spawn(move || work(&file, &waiting))?;
        Ok(Self { orders, thread })
    }

    /// Has a line written, after all that were given before.
    pub(super) fn write(&self, line: Line, durably: bool) -> Written {
        let (done, written) = sync_channel(0);
        let order = Order {
            line,
            durably,
            done,
        };
        // a thread that has gone is told of by `finish`
        let _ = self.orders.send(order);
        Written(written)
    }

    /// Waits for all of it; the first thing that went wrong.
    pub(super) fn finish(self) -> io::Result<()> {
        drop(self.orders);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the writer has crashed")))
    }
}

impl Written {
    /// Waits for it. The other tasks of an async thread go on elsewhere meanwhile.
    pub(super) fn wait(self) {
        use tokio::runtime::{Handle, RuntimeFlavor};
        let wait = || {
            let _ = self.0.recv();
        };
        match Handle::try_current().map(|handle| handle.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
            Ok(_) | Err(_) => wait(),
        }
    }
}

fn work(file: &LinesFile, waiting: &Receiver<Order>) -> io::Result<()> {
    let mut trouble = Ok(());
    while let Ok(first) = waiting.recv() {
        let mut durably = false;
        let (lines, done): (Vec<_>, Vec<_>) = std::iter::once(first)
            .chain(waiting.try_iter().take(AT_ONCE - 1))
            .map(|order| {
                durably |= order.durably;
                (order.line, order.done)
            })
            .unzip();
        let written = file.append(&lines, durably);
        trouble = trouble.and(written);
        drop(done);
    }
    trouble
}
