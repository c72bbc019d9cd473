//! From what was counted to what the report says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::schema;
use crate::event::{
    Agreement, Axis, Comparisons, Counts, Latency, Rule, Sample, Samples, Tally, Traffic, Verified,
};

/// Objects by outcome.
pub(super) fn counts(counts: &Counts) -> schema::Counts {
    schema::Counts {
        listed: schema::Listed {
            source: counts.listed.source,
            target: counts.listed.target,
        },
        filtered: schema::Filtered {
            total: counts.filtered_total(),
            by: filters(counts),
            subtrees: counts.not_walked_total(),
        },
        unchanged: counts.unchanged,
        tagged: counts.tagged,
        annotated: counts.annotated,
        transferred: schema::Transferred {
            total: counts.transferred(),
            created: counts.created,
            updated: counts.updated,
            server_side_copied: counts.server_side_copied,
        },
        compared: compared(&counts.compared),
        skipped: schema::Skipped {
            total: counts.skipped_total(),
            by: reasons(&counts.skipped),
        },
        failed: counts.failed,
        not_attempted: counts.not_attempted,
        deleted: schema::Deleted {
            total: counts.deleted(),
            objects: counts.deletions.objects,
            delete_markers: counts.deletions.markers + counts.markers_copied,
            copied_markers: counts.markers_copied,
            candidates: counts.deletions.candidates,
            withheld: counts.deletions.withheld,
            changed: counts.deletions.changed,
            failed: counts.deletions.failed,
            not_attempted: counts.deletions.not_attempted,
        },
        verified: verified(&counts.verified),
        warnings: counts.warnings,
        errors: counts.errors,
        reconciled: counts.reconciled(),
    }
}

/// Sums of sizes.
pub(super) fn bytes(counts: &Counts) -> schema::Bytes {
    schema::Bytes {
        transferred: counts.transferred_bytes,
        source_listed: counts.listed_bytes.source,
    }
}

/// How fast a pair was that took `duration`.
pub(super) fn throughput(tally: &Tally, duration: Duration) -> schema::Throughput {
    let series = &tally.traffic.series;
    schema::Throughput {
        bytes_per_sec_avg: per_second(tally.counts.transferred_bytes, duration),
        objects_per_sec_avg: per_second(tally.counts.transferred(), duration),
        series: schema::Series {
            interval_ms: millis(series.interval),
            bytes: series.bytes.clone(),
            objects: series.objects.clone(),
        },
    }
}

/// How long single things took.
pub(super) fn latency(traffic: &Traffic) -> BTreeMap<String, schema::LatencyMs> {
    let operations = traffic
        .latency
        .iter()
        .map(|(name, latency)| (*name, latency));
    operations
        .chain([("object_end_to_end", &traffic.object_latency)])
        .filter(|(_, latency)| latency.count() > 0)
        .map(|(name, latency)| (name.to_owned(), latency_ms(latency)))
        .collect()
}

/// Requests that were sent.
pub(super) fn requests(traffic: &Traffic) -> schema::Requests {
    let status = |status: &Option<u16>| match status {
        Some(status) => status.to_string(),
        None => "unanswered".to_owned(),
    };
    schema::Requests {
        by_operation: traffic
            .by_operation
            .iter()
            .map(|(operation, count)| ((*operation).to_owned(), *count))
            .collect(),
        by_status: traffic
            .by_status
            .iter()
            .map(|(code, count)| (status(code), *count))
            .collect(),
    }
}

/// Requests that were sent again.
pub(super) fn retries(traffic: &Traffic) -> schema::Retries {
    schema::Retries {
        count: traffic.retries.values().sum(),
        objects_retried: traffic.objects_retried,
        by_code: traffic.retries.clone(),
        wait_ms: millis(traffic.retry_wait),
    }
}

/// What the endpoints could not do.
pub(super) fn guarantees_lost(tally: &Tally) -> Vec<schema::GuaranteeLost> {
    tally
        .guarantees_lost
        .iter()
        .map(|lost| schema::GuaranteeLost {
            what: lost.what.clone(),
            why: lost.why.clone(),
        })
        .collect()
}

/// Some warnings or errors in full.
pub(super) fn samples(samples: &Samples) -> Vec<schema::Sample> {
    samples.as_slice().iter().map(sample).collect()
}

/// All pairs together.
pub(super) fn totals<'a>(tallies: impl IntoIterator<Item = &'a Tally>) -> schema::Totals {
    let mut sum = Counts::default();
    let mut traffic = Traffic::default();
    let mut reconciled = true;
    for tally in tallies {
        sum.add(&tally.counts);
        traffic.add(&tally.traffic);
        // two errors that cancel each other out are still two errors
        reconciled &= tally.counts.reconciled();
    }
    schema::Totals {
        counts: schema::Counts {
            reconciled,
            ..counts(&sum)
        },
        bytes: bytes(&sum),
        requests: requests(&traffic),
        retries: retries(&traffic),
        throttled: traffic.throttled,
    }
}

/// A duration in whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A rate; over less than a second, the amount itself, as nothing was sustained.
pub(super) fn per_second(amount: u64, duration: Duration) -> u64 {
    if duration < Duration::from_secs(1) {
        return amount;
    }
    (amount as f64 / duration.as_secs_f64()) as u64
}

fn verified(verified: &Verified) -> schema::Verified {
    schema::Verified {
        objects: schema::VerifiedObjects {
            verified: verified.objects,
            not_verifiable: verified.not_verifiable(),
        },
        etag: axis(verified.etag),
        checksum: schema::ChecksumCounts {
            algorithm: verified.algorithm,
            results: axis(verified.checksum),
        },
        not_verifiable_by: reasons(&verified.not_verifiable_by),
    }
}

fn compared(compared: &Comparisons) -> schema::Compared {
    schema::Compared {
        total: compared.total(),
        matches: compared.matches,
        mismatch: compared.mismatch,
        not_found: compared.not_found,
        unknown: compared.unknown,
        only_in_target: compared.only_in_target,
        unreadable: compared.unreadable,
        size_differs: compared.size_differs,
        etag: agreement(compared.etag),
        checksum: schema::ChecksumAgreementCounts {
            algorithm: compared.algorithm(),
            results: agreement(compared.checksum),
        },
        metadata: agreement(compared.metadata),
        tagging: agreement(compared.tagging),
        annotations: agreement(compared.annotations),
        unknown_by: reasons(&compared.unknown_by),
    }
}

fn agreement(agreement: Agreement) -> schema::AgreementCounts {
    schema::AgreementCounts {
        matches: agreement.matches,
        mismatch: agreement.mismatch,
        unknown: agreement.unknown,
    }
}

fn axis(axis: Axis) -> schema::AxisCounts {
    schema::AxisCounts {
        matched: axis.matched,
        mismatched: axis.mismatched,
        not_verifiable: axis.not_verifiable,
    }
}

fn reasons<R: Copy>(counts: &BTreeMap<R, u64>) -> Vec<schema::ReasonCount<R>> {
    let each = counts.iter();
    each.map(|(reason, count)| schema::ReasonCount {
        reason: *reason,
        count: *count,
    })
    .collect()
}

fn filters(counts: &Counts) -> Vec<schema::FilterCount> {
    let rules: BTreeSet<_> = counts
        .filtered
        .keys()
        .chain(counts.not_walked.keys())
        .collect();
    let of = |counts: &BTreeMap<Arc<Rule>, u64>, by| counts.get(by).copied().unwrap_or_default();
    rules
        .into_iter()
        .map(|by| schema::FilterCount {
            filter: by.filter.to_owned(),
            value: by.value.clone(),
            origin: by.origin.clone(),
            count: of(&counts.filtered, by),
            subtrees: of(&counts.not_walked, by),
        })
        .collect()
}

fn latency_ms(latency: &Latency) -> schema::LatencyMs {
    schema::LatencyMs {
        count: latency.count(),
        p50: millis(latency.quantile(0.5)),
        p99: millis(latency.quantile(0.99)),
        max: millis(latency.max()),
    }
}

fn sample(sample: &Sample) -> schema::Sample {
    schema::Sample {
        key: sample.key.clone(),
        operation: sample.operation.map(str::to_owned),
        code: sample.code.clone(),
        message: sample.message.clone(),
        request_id: sample.request_id.clone(),
    }
}
