//! Faults by chance, for as long as somebody asks: `S3SYNC_TEST_SOAK=10m`. Otherwise it is for
//! seconds, and they begin the same every time.

use std::time::{Duration, Instant};

use crate::fault_suite::faults;
use crate::stage::{Stage, Way};
use crate::support::case;

/// How long, where nobody asks for more.
const SHORT: Duration = Duration::from_secs(5);

/// A number and `s`, `m` or `h`, where somebody asks.
fn asked_for() -> Option<Duration> {
    let text = std::env::var("S3SYNC_TEST_SOAK").ok()?;
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let number: u64 = number
        .parse()
        .unwrap_or_else(|_| panic!("`{text}` is no time"));
    Some(match unit {
        "s" => Duration::from_secs(number),
        "m" => Duration::from_mins(number),
        "h" => Duration::from_hours(number),
        _ => panic!("`{text}` is no time"),
    })
}

#[test]
fn whatever_happens_the_next_run_makes_it_good() {
    let asked = asked_for();
    let limit = asked.unwrap_or(SHORT);
    let seed = std::env::var("S3SYNC_TEST_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok());
    // a change is judged by what it does, and not by its luck
    let seed = seed.unwrap_or_else(|| asked.map_or(0, |_| fastrand::u64(..)));
    case(format_args!("S3SYNC_TEST_SEED={seed} for {limit:?}"));
    let mut random = fastrand::Rng::with_seed(seed);
    let started = Instant::now();
    let mut stages: Vec<Stage> = Vec::new();
    let mut played = 0_u64;
    while started.elapsed() < limit {
        let way = Way::ALL[random.usize(0..4)];
        let at = stages.iter().position(|stage| stage.way == way);
        let at = at.unwrap_or_else(|| {
            stages.push(Stage::new(way));
            stages.len() - 1
        });
        let faults = faults(way);
        faults[random.usize(0..faults.len())].play(&mut stages[at]);
        played += 1;
    }
    case(format_args!("{played} faults"));
}
