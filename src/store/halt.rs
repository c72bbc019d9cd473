//! When waiting ends: a run that was stopped does not wait for ever for what is under way.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What cleans up may take so much longer than everything else.
const TO_CLEAN_UP: Duration = Duration::from_secs(5);

/// The moments at which waiting for answers ends, once a run was stopped. A default one never
/// comes.
#[derive(Debug, Clone, Default)]
pub struct Halt {
    /// Whatever is under way is cut.
    pub work: CancellationToken,
    /// So is what cleans up.
    pub cleaning: CancellationToken,
}

/// Lets the moments of a [`Halt`] come, until it is dropped.
#[derive(Debug)]
pub struct Halting(JoinHandle<()>);

impl Halt {
    /// A halt so long after `stop`; its moments come as long as the second value is kept.
    pub fn after(stop: CancellationToken, grace: Duration) -> (Self, Halting) {
        let halt = Self::default();
        let moments = halt.clone();
        let task = tokio::spawn(async move {
            stop.cancelled().await;
            tokio::time::sleep(grace).await;
            moments.work.cancel();
            tokio::time::sleep(TO_CLEAN_UP).await;
            moments.cleaning.cancel();
        });
        (halt, Halting(task))
    }
}

impl Drop for Halting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_cut_that_nobody_stopped_and_cleaning_goes_on_after_work() {
        let stop = CancellationToken::new();
        let (halt, _halting) = Halt::after(stop.clone(), Duration::ZERO);
        tokio::task::yield_now().await;
        assert!(!halt.work.is_cancelled());
        stop.cancel();
        halt.work.cancelled().await;
        assert!(!halt.cleaning.is_cancelled());
    }
}
