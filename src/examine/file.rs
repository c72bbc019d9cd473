//! A file and an object in S3: the file is read once, and every value that may decide is made of
//! it in that pass.

use super::content::{PIECE, checksums};
use super::found::{Values, is_worth_telling};
use super::layout::{Layout, Parts, candidates};
use super::line::Wanted;
use super::side::{Kept, Obstacle, Side};
use super::{Depth, Examiner, asked};
use crate::config::By;
use crate::digest::{Algorithm, Checksum, Comparison, Likeness, Method, Proof, Verdict, Why};

/// Layouts that are tried in one pass.
const HANDFUL: usize = 4;

/// Compares a file with an object of its size.
///
/// A small file is read before anything is asked: most are unchanged, and then the ETag of the
/// listing is proof enough. What would take long to read is asked for first, so that one pass
/// makes all that is needed.
pub(super) async fn compare(
    via: &Examiner,
    by: By,
    ends: (Side<'_>, Side<'_>),
    known: Option<Kept>,
) -> Result<Likeness, Obstacle> {
    let pass = Pass { via, ends };
    let is_quick = by == By::ETag && known.is_none() && ends.0.entry.size <= PIECE;
    if is_quick && let Some(likeness) = pass.at_once().await? {
        return Ok(likeness);
    }
    let kept = match known {
        Some(kept) => kept,
        None => pass.object().kept().await?,
    };
    let likeness = match by {
        By::ETag => pass.by_etag(&kept).await?,
        By::Checksum(algorithm) => pass.by_checksum(&kept, algorithm).await?,
    };
    if likeness.evidence().any(is_by_told_parts) {
        pass.object().confirm(&kept).await?;
    }
    Ok(likeness)
}

/// Whether parts that were asked for show a difference: no guess does.
fn is_by_told_parts(comparison: &Comparison) -> bool {
    let Proof { verdict, method } = &comparison.proof;
    matches!(verdict, Verdict::Mismatch { .. }) && *method == Method::Composite
}

/// A file and an object of different sizes: their values differ, and both are told.
pub(super) async fn resized(
    via: &Examiner,
    by: By,
    ends: (Side<'_>, Side<'_>),
) -> Result<Likeness, Obstacle> {
    let pass = Pass { via, ends };
    let object = pass.object();
    let etag = object.entry.etag.as_ref().and_then(Checksum::of_etag);
    let mut likeness = Likeness::default();
    if let By::Checksum(algorithm) = by {
        let kept = object.kept().await?.under(algorithm);
        let checksum = pass.apart(by, algorithm, kept).await?;
        let decided = checksum.proof.verdict.is_decided();
        likeness.checksum = Some(checksum);
        if decided {
            return Ok(likeness);
        }
    }
    let etag = etag.ok_or(Why::OpaqueETag);
    likeness.etag = Some(pass.apart(By::ETag, Algorithm::Md5, etag).await?);
    Ok(likeness)
}

/// One comparison of a file with an object.
#[derive(Clone, Copy)]
struct Pass<'a> {
    via: &'a Examiner,
    /// The source and the target.
    ends: (Side<'a>, Side<'a>),
}

/// What the file was found to hash to, and what that proves.
struct Shown {
    made: Option<Checksum>,
    proof: Proof,
}

/// What a file may have to hash to.
struct Likely {
    wanted: Vec<Wanted>,
    /// Whether the first is what it has to, and no guess.
    is_told: bool,
}

impl<'a> Pass<'a> {
    fn file(&self) -> Side<'a> {
        if self.via.is_source_local() {
            self.ends.0
        } else {
            self.ends.1
        }
    }

    fn object(&self) -> Side<'a> {
        if self.via.is_source_local() {
            self.ends.1
        } else {
            self.ends.0
        }
    }

    /// The object's value, and what the file would have, which cannot be the same.
    async fn apart(
        &self,
        by: By,
        algorithm: Algorithm,
        kept: Result<Checksum, Why>,
    ) -> Result<Comparison, Obstacle> {
        let kept = match kept {
            Ok(kept) => kept,
            Err(why) => return Ok(self.told(by, algorithm, None, None, Proof::impossible(why))),
        };
        let size = self.file().entry.size;
        let parts = match kept {
            Checksum::Whole(_) => None,
            Checksum::Composite { .. } => Some(Layout::for_upload(size, self.via.chunksize).into()),
        };
        let made = self.make(vec![Wanted { algorithm, parts }]).await?[0];
        let (sent, stored) = self.in_order(made, kept);
        let proof = Proof {
            verdict: Verdict::Mismatch { sent, stored },
            method: method_of(&made),
        };
        Ok(self.told(by, algorithm, Some(made), Some(kept), proof))
    }

    /// What the ETag of the listing proves by itself: sameness, or nothing.
    async fn at_once(&self) -> Result<Option<Likeness>, Obstacle> {
        let Some(etag) = self.object().entry.etag.as_ref() else {
            return Ok(None);
        };
        let Some(kept) = Checksum::of_etag(etag) else {
            return Ok(None);
        };
        let mut guesses = Self::guesses(kept, self.layouts(kept));
        guesses.truncate(HANDFUL);
        if guesses.is_empty() {
            return Ok(None);
        }
        let made = self.make(guesses).await?;
        if !made.contains(&kept) {
            return Ok(None);
        }
        let proof = Proof::compare(kept, kept, method_of(&kept));
        let etag = self.told(By::ETag, Algorithm::Md5, Some(kept), Some(kept), proof);
        Ok(Some(Likeness {
            etag: Some(etag),
            ..Likeness::default()
        }))
    }

    /// By the ETag; where that is none or of unknown parts, by a stored checksum as well.
    async fn by_etag(&self, kept: &Kept) -> Result<Likeness, Obstacle> {
        let (etag, other) = match kept.etag() {
            Ok(etag @ Checksum::Whole(_)) => (self.prove(etag, None).await?.0, None),
            Ok(etag @ Checksum::Composite { .. }) => {
                let whole = kept.wholes().next();
                let (etag, shown) = self.prove(etag, whole).await?;
                (etag, whole.zip(shown))
            }
            Err(why) => {
                let other = match kept.all().next() {
                    Some(other) => Some((other, self.prove(other, None).await?.0)),
                    None => None,
                };
                (Shown::nothing(why), other)
            }
        };
        let mut likeness = Likeness::default();
        if let Some((other, shown)) = other
            && is_worth_telling(&shown.proof, &etag.proof)
        {
            likeness.checksum = Some(self.of_checksum(other, shown));
        }
        let mut etag = self.told(By::ETag, Algorithm::Md5, etag.made, None, etag.proof);
        *self.text_of_object(&mut etag) = kept.etag_text();
        likeness.etag = Some(etag);
        Ok(likeness)
    }

    /// By the stored checksum of one algorithm; where there is none, or it is of unknown parts, by
    /// what else is kept.
    async fn by_checksum(&self, kept: &Kept, algorithm: Algorithm) -> Result<Likeness, Obstacle> {
        let mut likeness = Likeness::default();
        let by = By::Checksum(algorithm);
        let asked = kept.under(algorithm);
        let shown = match asked {
            Ok(asked) => self.prove(asked, None).await?.0,
            Err(why) => Shown::nothing(why),
        };
        let decided = shown.proof.verdict.is_decided();
        likeness.checksum = Some(self.told(by, algorithm, shown.made, asked.ok(), shown.proof));
        if decided {
            return Ok(likeness);
        }
        let other = kept.all().find(|other| other.algorithm() != algorithm);
        match (kept.etag(), other) {
            (Ok(Checksum::Composite { .. }) | Err(_), Some(other @ Checksum::Whole(_))) => {
                let shown = self.prove(other, None).await?.0;
                likeness.aside = Some(self.of_checksum(other, shown));
            }
            (Ok(etag), _) => {
                let shown = self.prove(etag, None).await?.0;
                if shown.proof.verdict.is_decided() {
                    let (made, kept) = (shown.made, Some(etag));
                    let told = self.told(By::ETag, Algorithm::Md5, made, kept, shown.proof);
                    likeness.etag = Some(told);
                }
            }
            // one composite is as good as another
            (Err(_), Some(other)) if asked.is_err() => {
                let shown = self.prove(other, None).await?.0;
                if shown.proof.verdict.is_decided() {
                    likeness.aside = Some(self.of_checksum(other, shown));
                }
            }
            (Err(_), _) => {}
        }
        Ok(likeness)
    }

    /// What the file's content says of a stored value, and of another, of the whole, that is made
    /// in the same pass. Parts are guessed, as a match is proof, and asked for where no guess
    /// can be right, or none matches.
    async fn prove(
        &self,
        kept: Checksum,
        whole: Option<Checksum>,
    ) -> Result<(Shown, Option<Shown>), Obstacle> {
        let Likely {
            mut wanted,
            is_told,
        } = self.likely(kept, whole.is_some()).await?;
        let guessed = wanted.len();
        wanted.extend(whole.map(|whole| Wanted {
            algorithm: whole.algorithm(),
            parts: None,
        }));
        if wanted.is_empty() {
            return Ok((Shown::nothing(Why::LayoutUnknown), None));
        }
        let made = self.make(wanted.clone()).await?;
        let other = whole.zip(made.get(guessed)).map(|(whole, made)| Shown {
            made: Some(*made),
            proof: self.compare(*made, whole),
        });
        let (wanted, made) = (&wanted[..guessed], &made[..guessed]);
        let hit = made.iter().find(|made| **made == kept);
        let shown = if let Some(made) = hit.or_else(|| made.first().filter(|_| is_told)) {
            Shown {
                made: Some(*made),
                proof: self.compare(*made, kept),
            }
        } else if guessed == 0 {
            // they were asked for in vain
            Shown::nothing(Why::LayoutUnknown)
        } else {
            self.by_asked_parts(kept, wanted, made).await?
        };
        Ok((shown, other))
    }

    /// By the parts the store tells: made already, or in another pass.
    async fn by_asked_parts(
        &self,
        kept: Checksum,
        wanted: &[Wanted],
        made: &[Checksum],
    ) -> Result<Shown, Obstacle> {
        let unknown = Shown::nothing(Why::LayoutUnknown);
        let (Checksum::Composite { parts, .. }, Depth::Asked) = (kept, self.via.depth) else {
            return Ok(unknown);
        };
        let Some(parts) = asked::parts(self.via, self.object(), parts).await? else {
            return Ok(unknown);
        };
        let is_this = |wanted: &Wanted| wanted.parts.as_ref() == Some(&parts);
        let made = if let Some(index) = wanted.iter().position(is_this) {
            made[index]
        } else {
            let wanted = Wanted {
                algorithm: kept.algorithm(),
                parts: Some(parts),
            };
            self.make(vec![wanted]).await?[0]
        };
        Ok(Shown {
            made: Some(made),
            proof: self.compare(made, kept),
        })
    }

    /// What to make for a stored value: the whole, or its likely parts, few of them. Where several
    /// are likely, part 1 tells more, and where none is, all parts do, if they may be asked for.
    async fn likely(&self, kept: Checksum, is_backed: bool) -> Result<Likely, Obstacle> {
        let is_asked = self.via.depth == Depth::Asked;
        let mut layouts = self.layouts(kept);
        if is_asked {
            layouts = asked::narrowed(self.object(), layouts).await?;
        }
        let count = match kept {
            Checksum::Whole(_) => None,
            Checksum::Composite { parts, .. } => Some(parts),
        };
        if let (true, true, Some(count)) = (is_asked, layouts.is_empty(), count) {
            let told = asked::parts(self.via, self.object(), count).await?;
            let wanted = told.map(|parts| Wanted {
                algorithm: kept.algorithm(),
                parts: Some(parts),
            });
            return Ok(Likely {
                is_told: wanted.is_some(),
                wanted: wanted.into_iter().collect(),
            });
        }
        let mut wanted = Self::guesses(kept, layouts);
        // with a checksum of the whole beside them, guesses decide nothing but their own value
        let few = if is_backed && !is_asked { 1 } else { HANDFUL };
        wanted.truncate(few);
        Ok(Likely {
            wanted,
            is_told: count.is_none_or(|count| count.get() == 1),
        })
    }

    /// The layouts a composite may be of.
    fn layouts(&self, kept: Checksum) -> Vec<Layout> {
        match kept {
            Checksum::Whole(_) => Vec::new(),
            Checksum::Composite { parts, .. } => {
                candidates(self.file().entry.size, parts, self.via.chunksize)
            }
        }
    }

    fn guesses(kept: Checksum, layouts: Vec<Layout>) -> Vec<Wanted> {
        let algorithm = kept.algorithm();
        let of = |parts: Option<Parts>| Wanted { algorithm, parts };
        match kept {
            Checksum::Whole(_) => vec![of(None)],
            Checksum::Composite { .. } => {
                let parts = layouts.into_iter().map(Parts::from);
                parts.map(|parts| of(Some(parts))).collect()
            }
        }
    }

    async fn make(&self, wanted: Vec<Wanted>) -> Result<Vec<Checksum>, Obstacle> {
        checksums(self.via, self.file(), wanted).await
    }

    fn compare(&self, made: Checksum, kept: Checksum) -> Proof {
        let (sent, stored) = self.in_order(made, kept);
        Proof::compare(sent, stored, method_of(&made))
    }

    /// The file's value and the object's, the source's first.
    fn in_order<T>(&self, file: T, object: T) -> (T, T) {
        if self.via.is_source_local() {
            (file, object)
        } else {
            (object, file)
        }
    }

    fn of_checksum(&self, kept: Checksum, shown: Shown) -> Comparison {
        let algorithm = kept.algorithm();
        let by = By::Checksum(algorithm);
        self.told(by, algorithm, shown.made, Some(kept), shown.proof)
    }

    fn told(
        &self,
        by: By,
        algorithm: Algorithm,
        made: Option<Checksum>,
        kept: Option<Checksum>,
        proof: Proof,
    ) -> Comparison {
        let text = |checksum: Checksum| match by {
            By::ETag => checksum.etag_text(),
            By::Checksum(_) => checksum.to_string(),
        };
        let (source, target) = self.in_order(made.map(text), kept.map(text));
        Values { source, target }.with(algorithm, proof)
    }

    fn text_of_object<'c>(&self, comparison: &'c mut Comparison) -> &'c mut Option<String> {
        if self.via.is_source_local() {
            &mut comparison.target
        } else {
            &mut comparison.source
        }
    }
}

impl Shown {
    fn nothing(why: Why) -> Self {
        Self {
            made: None,
            proof: Proof::impossible(why),
        }
    }
}

fn method_of(made: &Checksum) -> Method {
    match made {
        Checksum::Whole(_) => Method::Recomputed,
        Checksum::Composite { .. } => Method::Composite,
    }
}
