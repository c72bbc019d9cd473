//! Is a file of evidence still what the report says it was?

use std::io::{self, Read as _};
use std::path::{Component, Path};

use super::reader::{EvidenceReader, ReadLine};
use super::repeats::Repeats;
use crate::digest::{Algorithm, Hasher};
use crate::report::schema::EvidenceFile;

/// So many broken lines are named; more say no more.
const NAMED: usize = 3;

/// What a look at a file of evidence has shown.
#[derive(Debug, Default)]
pub struct EvidenceAudit {
    /// Lines about objects that could be read.
    pub lines: u64,
    /// Of these, how many say that an object came to the target.
    pub arrivals: u64,
    /// What is wrong with it, each with its place where it has one.
    pub faults: Vec<String>,
    /// Which lines others take the place of.
    pub repeats: Repeats,
}

/// Holds a file against its digest, its line count and its trailer. `directory` is the run's.
pub fn audit_evidence(directory: &Path, pair: &str, expected: &EvidenceFile) -> EvidenceAudit {
    let mut audit = EvidenceAudit::default();
    let relative = Path::new(&expected.path);
    let inside = |part| matches!(part, Component::Normal(_));
    if !relative.components().all(inside) {
        audit
            .faults
            .push("its path leads out of the run".to_owned());
        return audit;
    }
    let path = directory.join(relative);
    if let Err(error) = look(&path, pair, expected, &mut audit) {
        audit.faults.push(match error.kind() {
            io::ErrorKind::NotFound => "it is missing".to_owned(),
            _ => format!("it cannot be read: {error}"),
        });
    }
    audit.repeats = std::mem::take(&mut audit.repeats).settled();
    audit
}

fn look(
    path: &Path,
    pair: &str,
    expected: &EvidenceFile,
    audit: &mut EvidenceAudit,
) -> io::Result<()> {
    let mut broken = Vec::new();
    let mut trailer = None;
    let mut last = 0;
    // where lines are missing, all that follow say another place: that is told once
    let mut shift = 0;
    let mut reader = EvidenceReader::open(path)?;
    while let Some((number, line)) = reader.next_line()? {
        last = number;
        if let Some(at) = trailer {
            broken.push(format!(
                "line {number} stands behind the trailer on line {at}"
            ));
            break;
        }
        match line {
            ReadLine::Claim(claim) => {
                audit.lines += 1;
                audit.arrivals += u64::from(claim.is_arrival());
                let before = std::mem::replace(&mut shift, claim.seq.wrapping_sub(number));
                if shift != 0 && shift != before {
                    broken.push(format!("line {number} says that it is line {}", claim.seq));
                } else if claim.pair != pair {
                    broken.push(format!("line {number} is of the pair `{}`", claim.pair));
                }
                audit.repeats.note(&claim.key, number);
            }
            ReadLine::Trailer(lines) => {
                trailer = Some(number);
                if lines.checked_add(1) != Some(number) {
                    let before = number - 1;
                    broken.push(format!(
                        "the trailer on line {number} counts {lines} lines before it, and there are {before}"
                    ));
                }
            }
            ReadLine::Broken(why) => broken.push(format!("line {number} cannot be read: {why}")),
        }
    }
    let more = broken.len().saturating_sub(NAMED);
    broken.truncate(NAMED);
    let has_place = !broken.is_empty();
    audit.faults.append(&mut broken);
    if more > 0 {
        audit.faults.push(format!("{more} more lines are wrong"));
    }
    if trailer.is_none() {
        audit.faults.push(format!(
            "it ends without a trailer after line {last} of {}: it was cut off, or never completed",
            expected.lines.saturating_add(1)
        ));
    } else if audit.lines != expected.lines {
        audit.faults.push(format!(
            "it has {} lines, and report.json says {}",
            audit.lines, expected.lines
        ));
    }
    match &expected.sha256 {
        None => audit.faults.push(
            "report.json has no digest of it: the run did not live to complete it".to_owned(),
        ),
        Some(expected) => {
            let found = sha256(path)?;
            if found != *expected {
                let place = if has_place || trailer.is_none() {
                    ""
                } else {
                    "; every line reads well, so the place cannot be told"
                };
                audit.faults.push(format!(
                    "its SHA-256 is {found}, and report.json says {expected}{place}"
                ));
            }
        }
    }
    Ok(())
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish().hex()),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
