/*! Huge pages: only once there is content to fill them.

They make reading and writing large parts a tenth cheaper. What a listing keeps is small and lies
scattered, and each huge page under it is mostly empty: together 20 MiB of a run that moves nothing.
So the program begins without them, and takes them with its first large buffer. Where a program
embeds the library, nothing is changed.
<https://docs.kernel.org/admin-guide/mm/transhuge.html>
*/

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether they wait for content.
static WAITING: AtomicBool = AtomicBool::new(false);

/// The process gets no huge pages until it asks for them. Nothing changes where the user has
/// forbidden them, or the system knows none.
pub fn withhold() {
    WAITING.store(set_disabled(true), Ordering::Relaxed);
}

/// The process gets huge pages again, and so does what it starts from now on.
pub fn grant() {
    if WAITING.load(Ordering::Relaxed) && WAITING.swap(false, Ordering::Relaxed) {
        // a run without them is a slower one, and no other
        let _ = set_disabled(false);
    }
}

/// Whether it was otherwise before, and could be changed.
#[cfg(target_os = "linux")]
fn set_disabled(disabled: bool) -> bool {
    use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};

    transparent_huge_pages_are_disabled() == Ok(!disabled)
        && disable_transparent_huge_pages(disabled).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn set_disabled(_: bool) -> bool {
    false
}
