//! What a test costs the processor, however much else the machine has to do.

use std::time::Duration;

/// Of the system's clock of processor time, as programs see it:
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
const TICKS_PER_SECOND: u32 = 100;

/// How long this thread has had a processor so far, itself and the kernel for it.
pub(crate) fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/stat").expect("proc is mounted");
    // the name of the thread comes before, in brackets, and may have anything in it
    let (_, fields) = text.rsplit_once(')').expect("a name");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks.map(|it| it.parse::<u32>().expect("a number")).sum();
    Duration::from_secs(1) * ticks / TICKS_PER_SECOND
}

#[test]
fn what_is_done_costs_time() {
    let before = spent();
    while spent() == before {}
}
