//! Counters: a fold over events.
/// x
#[derive(Debug, Clone)]
pub struct Stats;
/// x
#[derive(Debug, Clone)]
pub struct Bucket;
/// x
#[derive(Debug, Clone)]
pub struct LatencySummary;
/// x
#[derive(Debug, Clone)]
pub struct VerifyCounts;
