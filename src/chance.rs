/*! Laws, held to random cases; the shortest case that breaks one is told.

Each law is held to a handful of cases, the same every time, so that a change is judged by what it
does and not by its luck. `S3SYNC_TEST_FUZZ_CASES=10000` holds it to so many, from a seed nobody
chose; `S3SYNC_TEST_FUZZ_SEED` chooses it and brings cases back. Both are printed.
*/

use std::cell::Cell;
use std::fmt::Debug;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

/// Where nobody says how many.
const FEW: u32 = 128;

/// Attempts to make a case shorter.
const ATTEMPTS: u32 = 3000;

/// Holds a law to random cases; it breaks by a panic. `weight` is how many cases of others one of
/// its cases is worth, where nobody says how many there are to be.
pub(crate) fn holds<S: Strategy>(weight: u32, cases: S, law: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let asked: Option<u32> = number("S3SYNC_TEST_FUZZ_CASES");
    let count = asked.unwrap_or((FEW / weight).max(1));
    let seed: u64 =
        number("S3SYNC_TEST_FUZZ_SEED").unwrap_or_else(|| asked.map_or(0, |_| fastrand::u64(..)));
    let mut runner = TestRunner::new(Config {
        cases: count,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: ATTEMPTS,
        ..Config::default()
    });
    let tried = Cell::new(0_u32);
    let outcome = runner.run(&cases, |case| {
        tried.set(tried.get() + 1);
        law(case);
        Ok(())
    });
    say(&format!("{} cases of seed {seed}", tried.get()));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("seed {seed}: {why}\nby {case:#?}"),
        Err(TestError::Abort(why)) => panic!("seed {seed}: {why}"),
    }
}

/// What lines of JSON are damaged with, and these words of one form of them.
pub(crate) fn words_of_lines(own: &[&'static str]) -> Vec<&'static str> {
    let lines = [
        "\n", "\r\n", "{", "}", "\"", ",", "null", "[]\n", "\u{0}", "\u{feff}", "\\ud800",
        "\"v\":2,",
    ];
    [&lines[..], own].concat()
}

/// One of these files, with some damage done to it; `words` are what is put in.
pub(crate) fn damaged(
    whole: Vec<Vec<u8>>,
    words: &[&'static str],
) -> impl Strategy<Value = Bytes> + use<> {
    let whole = prop::sample::select(whole);
    (whole, blows(words)).prop_map(|(bytes, blows)| strike(bytes, blows))
}

/// Some damage, often none; `words` are what is put in.
pub(crate) fn blows(words: &[&'static str]) -> impl Strategy<Value = Vec<Blow>> + use<> {
    let put = prop_oneof![
        6 => prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        2 => prop::collection::vec(any::<u8>(), 1..4),
        1 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
    ];
    let blow = prop_oneof![
        4 => (any::<Index>(), put).prop_map(|(at, bytes)| Blow::Put(at, bytes)),
        2 => (any::<Index>(), 1..20_usize).prop_map(|(at, length)| Blow::Cut(at, length)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(at, to)| Blow::CutTo(at, to)),
        1 => (any::<Index>(), any::<Index>(), 1..80_usize)
            .prop_map(|(from, to, length)| Blow::Copy(from, to, length)),
        2 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Blow::Flip(at, bit)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(one, two)| Blow::Swap(one, two)),
    ];
    prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(blow, 0..5),
    ]
}

/// What is left of some bytes after this damage.
pub(crate) fn strike(mut bytes: Vec<u8>, blows: Vec<Blow>) -> Bytes {
    for blow in blows {
        blow.strike(&mut bytes);
    }
    bytes.into()
}

/// One thing done to some bytes.
#[derive(Debug, Clone)]
pub(crate) enum Blow {
    Put(Index, Vec<u8>),
    Cut(Index, usize),
    CutTo(Index, Index),
    Copy(Index, Index, usize),
    Flip(Index, u8),
    /// Of two lines.
    Swap(Index, Index),
}

impl Blow {
    fn strike(self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |index: Index| index.index(length + 1);
        match self {
            Self::Put(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more);
            }
            Self::Cut(at, many) => {
                let at = place(at);
                bytes.drain(at..(at + many).min(length));
            }
            Self::CutTo(at, to) => {
                let (at, to) = (place(at), place(to));
                bytes.drain(at.min(to)..at.max(to));
            }
            Self::Copy(from, to, many) => {
                let (from, to) = (place(from), place(to));
                let piece = bytes[from..(from + many).min(length)].to_vec();
                bytes.splice(to..to, piece);
            }
            Self::Flip(at, bit) => {
                if let Some(byte) = bytes.get_mut(place(at)) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Swap(one, two) => {
                let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
                let (one, two) = (one.index(lines.len()), two.index(lines.len()));
                lines.swap(one, two);
                *bytes = lines.join(&b'\n');
            }
        }
    }
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

#[allow(
    clippy::print_stdout,
    reason = "the harness shows it where it is wanted"
)]
fn say(words: &str) {
    println!("{words}");
}
