//! What options say of each other: which exclude each other, and which need another.

use super::merged::Merged;
use super::problem::{Place, Problem};
use super::sides::Side;

/// Two options that do not go together, or one that goes only with others.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) this: Condition,
    pub(super) relation: Relation,
    /// With `Excludes` each of them, with `Needs` one of them.
    pub(super) those: &'static [Condition],
    pub(super) why: &'static str,
}

/// What a rule says of its two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Excludes,
    Needs,
}

/// Something that may hold for a pair.
#[derive(Debug, Clone, Copy)]
pub(super) enum Condition {
    /// A switch is on, or an option has a value that is not its default.
    On(&'static str),
    /// A switch is off.
    Off(&'static str),
    /// A switch is off, and a flag says so.
    FlaggedOff(&'static str),
    /// Somebody said it, be it the default.
    Said(&'static str),
    /// An option has one of these values.
    Is(&'static str, &'static [&'static str]),
    /// The source is on S3.
    S3Source,
    /// An option has another value than this.
    IsNot(&'static str, &'static str),
    /// One of the sides is a directory bucket.
    DirectoryBucket,
    /// The source is a directory bucket.
    SourceDirectoryBucket,
    /// The target is a directory bucket.
    TargetDirectoryBucket,
    /// The source is an access point by its ARN.
    SourceArn,
    /// The target is one.
    TargetArn,
    /// The source is a Multi-Region Access Point.
    SourceMultiRegion,
    /// The target is one.
    TargetMultiRegion,
}

use Condition::{
    DirectoryBucket, FlaggedOff, Is, IsNot, Off, On, S3Source, Said, SourceArn,
    SourceDirectoryBucket, SourceMultiRegion, TargetArn, TargetDirectoryBucket, TargetMultiRegion,
};

const ETAG_MODES: Condition = Is("check.mode", &["etag", "mtime_and_etag"]);
const CHECKSUM_MODES: Condition = Is("check.mode", &["checksum", "mtime_and_checksum"]);
const CONTENT_MODES: Condition = Is(
    "check.mode",
    &["etag", "checksum", "mtime_and_etag", "mtime_and_checksum"],
);
const MODES_BUT_TIME: Condition = Is(
    "check.mode",
    &[
        "size",
        "etag",
        "checksum",
        "mtime_and_etag",
        "mtime_and_checksum",
    ],
);
/// Those that the past may not be compared with: what it is copied over may be newer.
const MODES_OF_THE_PRESENT: Condition = Is(
    "check.mode",
    &["size", "etag", "mtime_and_etag", "mtime_and_checksum"],
);
const KMS: Condition = Is("target.sse", &["aws:kms", "aws:kms:dsse"]);
const NO_CRC: Condition = Is(
    "checksum.algorithm",
    &[
        "SHA256",
        "SHA1",
        "SHA512",
        "MD5",
        "XXHASH64",
        "XXHASH3",
        "XXHASH128",
    ],
);

const CLASS_OF_NO_DIRECTORY: Condition = Is(
    "target.storage_class",
    &[
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    ],
);

const fn excludes(this: Condition, those: &'static [Condition], why: &'static str) -> Rule {
    Rule {
        this,
        relation: Relation::Excludes,
        those,
        why,
    }
}

const fn needs(this: Condition, those: &'static [Condition], why: &'static str) -> Rule {
    Rule {
        this,
        relation: Relation::Needs,
        those,
        why,
    }
}

/// All of them.
#[rustfmt::skip]
pub(super) static RULES: &[Rule] = &[
    // --- reaching S3
    excludes(On("source.no_sign_request"), &[On("source.profile"), On("source.access_key"), On("source.secret_access_key"), On("source.session_token"), On("source.request_payer")],
        "anonymous requests carry no credentials"),
    excludes(On("source.no_sign_request"), &[SourceDirectoryBucket], "directory buckets are talked to in sessions, which need credentials"),
    excludes(On("source.profile"), &[On("source.access_key")], "keep one of them"),
    excludes(On("target.profile"), &[On("target.access_key")], "keep one of them"),
    needs(On("source.access_key"), &[On("source.secret_access_key")], "the two belong together"),
    needs(On("source.secret_access_key"), &[On("source.access_key")], "the two belong together"),
    needs(On("source.session_token"), &[On("source.access_key")], "a token belongs to a key"),
    needs(On("target.access_key"), &[On("target.secret_access_key")], "the two belong together"),
    needs(On("target.secret_access_key"), &[On("target.access_key")], "the two belong together"),
    needs(On("target.session_token"), &[On("target.access_key")], "a token belongs to a key"),

    excludes(On("source.accelerate"), &[On("source.endpoint_url"), On("source.force_path_style"), SourceDirectoryBucket, SourceArn], "Transfer Acceleration has an endpoint of its own, for general purpose buckets by their names"),
    excludes(On("target.accelerate"), &[On("target.endpoint_url"), On("target.force_path_style"), TargetDirectoryBucket, TargetArn], "Transfer Acceleration has an endpoint of its own, for general purpose buckets by their names"),
    excludes(On("source.force_path_style"), &[SourceArn], "the host names the access point"),
    excludes(On("target.force_path_style"), &[TargetArn], "the host names the access point"),
    excludes(On("source.endpoint_url"), &[SourceMultiRegion], "a Multi-Region Access Point has one endpoint, which is AWS's"),
    excludes(On("target.endpoint_url"), &[TargetMultiRegion], "a Multi-Region Access Point has one endpoint, which is AWS's"),
    excludes(On("server_side_copy"), &[SourceMultiRegion], "S3 copies to a Multi-Region Access Point, not from one; name the bucket, or leave it out"),

    // --- encryption
    needs(On("target.sse_kms_key_id"), &[KMS], "a KMS key is for aws:kms and aws:kms:dsse"),
    excludes(On("target.sse_c"), &[On("target.sse"), On("target.sse_kms_key_id")], "an object is encrypted in one way"),
    excludes(On("source.sse_c"), &[On("target.sse"), On("target.sse_kms_key_id")], "as in s3sync 1.x; the default encryption of the target's bucket encrypts what arrives without it"),
    needs(On("source.sse_c"), &[On("source.sse_c_key")], "SSE-C needs its key"),
    needs(On("target.sse_c"), &[On("target.sse_c_key")], "SSE-C needs its key"),
    needs(On("source.sse_c_key"), &[On("source.sse_c")], "say which algorithm the key is for: AES256"),
    needs(On("target.sse_c_key"), &[On("target.sse_c")], "say which algorithm the key is for: AES256"),
    needs(On("source.sse_c_key_md5"), &[On("source.sse_c_key")], "it is the MD5 of a key"),
    needs(On("target.sse_c_key_md5"), &[On("target.sse_c_key")], "it is the MD5 of a key"),

    // --- what goes
    excludes(On("filter.include_tag_regex"), &[SourceDirectoryBucket], "directory buckets have no tags"),
    excludes(On("filter.exclude_tag_regex"), &[SourceDirectoryBucket], "directory buckets have no tags"),

    // --- what counts as changed
    needs(CHECKSUM_MODES, &[On("check.checksum_algorithm")], "say which checksum is compared"),
    excludes(ETAG_MODES, &[KMS, On("target.sse_c"), On("source.sse_c"), DirectoryBucket], "such an ETag is no MD5; compare checksums"),
    excludes(On("check.metadata"), &[On("dry_run"), On("delete.enabled"), On("versioning.enabled"), On("check.head_each_target"), On("versioning.point_in_time")], "it is for comparing only"),
    excludes(On("check.tagging"), &[On("dry_run"), On("delete.enabled"), On("versioning.enabled"), On("check.head_each_target"), On("versioning.point_in_time")], "it is for comparing only"),
    excludes(On("check.tagging"), &[DirectoryBucket], "directory buckets have no tags"),
    excludes(On("check.annotations"), &[On("dry_run"), On("delete.enabled"), On("versioning.enabled"), On("check.head_each_target"), On("versioning.point_in_time"), DirectoryBucket], "it is for comparing only, and directory buckets have none"),

    // --- proof
    excludes(On("checksum.full_object"), &[NO_CRC], "only CRCs of parts can be combined"),
    needs(FlaggedOff("verify.checksum"), &[On("checksum.algorithm"), On("checksum.download")], "there is no checksum to verify"),

    // --- parts
    excludes(On("multipart.auto_chunksize"), &[On("multipart.threshold"), On("multipart.chunksize")], "the other side's part layout decides"),

    // --- what is written beside the bytes
    excludes(CLASS_OF_NO_DIRECTORY, &[TargetDirectoryBucket], "directory buckets have one class, EXPRESS_ONEZONE"),
    excludes(On("target.acl"), &[TargetDirectoryBucket], "directory buckets have no ACLs"),
    excludes(On("metadata.website_redirect"), &[TargetDirectoryBucket], "directory buckets serve no websites"),

    // --- tags and annotations
    excludes(On("tagging.set"), &[Off("tagging.copy"), On("tagging.sync_latest")], "tags are set, copied, or left alone"),
    excludes(On("tagging.set"), &[TargetDirectoryBucket], "directory buckets have no tags"),
    excludes(On("tagging.sync_latest"), &[On("versioning.enabled"), On("delete.enabled"), Off("tagging.copy")], "it brings tags of unchanged objects up to date"),
    excludes(On("tagging.sync_latest"), &[DirectoryBucket], "directory buckets have no tags"),
    excludes(On("annotations.sync_latest"), &[On("versioning.enabled"), On("delete.enabled"), DirectoryBucket], "it brings annotations of unchanged objects up to date"),
    excludes(On("annotations.sync_latest"), &[On("annotations.sync")], "keep one of them: sync_latest does what sync does, and for unchanged objects too"),
    excludes(On("annotations.sync"), &[DirectoryBucket], "directory buckets have no annotations"),

    // --- versions
    excludes(On("versioning.enabled"), &[On("delete.enabled"), On("check.head_each_target"), MODES_BUT_TIME, On("conditional.if_match"), On("conditional.if_none_match"), On("conditional.copy_source_if_match"), DirectoryBucket], "every version is copied, none is compared"),
    excludes(On("versioning.point_in_time"), &[On("versioning.enabled"), On("delete.enabled"), On("check.head_each_target"), MODES_OF_THE_PRESENT, On("conditional.if_match"), On("conditional.if_none_match"), On("conditional.copy_source_if_match"), SourceDirectoryBucket], "the past is written over the present, whatever is there; it may only be compared by checksums"),

    // --- deletion
    needs(On("delete.max_objects"), &[Said("delete.enabled")], "there is nothing to guard"),
    needs(On("delete.excluded"), &[Said("delete.enabled")], "there is nothing to delete"),

    // --- named keys
    excludes(On("filter.keys_from"), &[On("delete.enabled")], "what is deleted is what the source does not have, and of the source only these keys are looked at"),
    excludes(On("filter.keys_from"), &[On("versioning.enabled"), On("versioning.point_in_time")], "keys are asked for as they are now, not for their versions; leave one of the two out"),

    // --- conditions
    excludes(On("conditional.if_none_match"), &[On("conditional.if_match")], "one writes over objects, the other beside them"),
    needs(On("conditional.if_match"), &[IsNot("check.mode", "always"), On("check.head_each_target")], "without looking at the target nobody knows what it has to match"),
    needs(On("conditional.copy_source_if_match"), &[On("server_side_copy")], "only copies inside S3 have a copy source"),

    // --- scripts
    excludes(On("lua.allow_os_library"), &[On("lua.allow_unsafe_vm")], "the second includes the first"),
];

/// A rule that depends on the sides as well: parts of a local source follow the target's layout
/// only where content is compared.
const AUTO_CHUNKSIZE: Rule = needs(
    On("multipart.auto_chunksize"),
    &[S3Source, CONTENT_MODES],
    "a local source has no parts of its own; compare content, or leave it out: `s3sync check` asks for part sizes anyway",
);

/// Finds the rules a pair breaks.
pub(super) fn check(source: &Side, target: &Side, merged: &Merged, problems: &mut Vec<Problem>) {
    let pair = Sides {
        source,
        target,
        merged,
    };
    for rule in RULES.iter().chain(std::iter::once(&AUTO_CHUNKSIZE)) {
        if !pair.holds(rule.this) || pair.is_broken(rule) {
            continue;
        }
        let place = pair.place(rule.this);
        let this = pair.name(rule.this);
        match rule.relation {
            Relation::Needs => {
                if !rule.those.iter().any(|that| pair.holds(*that)) {
                    let that: Vec<String> = rule.those.iter().map(|that| that.wanted()).collect();
                    let message = format!("{this} without {}", that.join(" or "));
                    problems.push(Problem::new(message, &place).remedy(rule.why));
                }
            }
            Relation::Excludes => {
                for that in rule.those.iter().filter(|that| pair.holds(**that)) {
                    let message = format!("{this} excludes {}", pair.name(*that));
                    problems.push(
                        Problem::new(message, &place)
                            .remedy(rule.why)
                            .against(&pair.place(*that), "said here"),
                    );
                }
            }
        }
    }
}

/// A pair, to be asked what holds for it.
struct Sides<'a> {
    source: &'a Side,
    target: &'a Side,
    merged: &'a Merged,
}

impl Sides<'_> {
    fn holds(&self, condition: Condition) -> bool {
        let merged = self.merged;
        match condition {
            On(path) => merged.is_changed(path) && merged.optional::<bool>(path).unwrap_or(true),
            Off(path) => merged.optional::<bool>(path) == Some(false),
            FlaggedOff(path) => {
                self.holds(Off(path)) && matches!(merged.place(path), Place::Flag(_))
            }
            Said(path) => merged.is_said(path),
            Is(path, words) => merged
                .optional::<String>(path)
                .is_some_and(|word| words.contains(&word.as_str())),
            IsNot(path, word) => {
                let said: Option<String> = merged.optional(path);
                said.is_none_or(|said| said != word)
            }
            S3Source => self.source.is_s3(),
            SourceDirectoryBucket => self.source.is_directory_bucket(),
            TargetDirectoryBucket => self.target.is_directory_bucket(),
            SourceArn => self.source.is_arn(),
            TargetArn => self.target.is_arn(),
            SourceMultiRegion => self.source.is_multi_region(),
            TargetMultiRegion => self.target.is_multi_region(),
            DirectoryBucket => [self.source, self.target]
                .iter()
                .any(|side| side.is_directory_bucket()),
        }
    }

    fn is_broken(&self, rule: &Rule) -> bool {
        let all = std::iter::once(&rule.this).chain(rule.those);
        all.filter_map(|condition| condition.path())
            .any(|path| self.merged.is_broken(path))
    }

    fn place(&self, condition: Condition) -> Place {
        match condition {
            DirectoryBucket if self.source.is_directory_bucket() => self.merged.place("source.url"),
            DirectoryBucket | TargetDirectoryBucket | TargetArn | TargetMultiRegion => {
                self.merged.place("target.url")
            }
            S3Source | SourceDirectoryBucket | SourceArn | SourceMultiRegion => {
                self.merged.place("source.url")
            }
            On(path) | Off(path) | FlaggedOff(path) | Said(path) | Is(path, _) | IsNot(path, _) => {
                self.merged.place(path)
            }
        }
    }

    /// What holds, in words.
    fn name(&self, condition: Condition) -> String {
        match condition {
            On(path) | Said(path) => format!("`{path}`"),
            Off(path) | FlaggedOff(path) => format!("`{path} = false`"),
            Is(path, _) | IsNot(path, _) => {
                let word: Option<String> = self.merged.optional(path);
                format!("`{path} = \"{}\"`", word.unwrap_or_default())
            }
            S3Source
            | DirectoryBucket
            | SourceDirectoryBucket
            | TargetDirectoryBucket
            | SourceArn
            | TargetArn
            | SourceMultiRegion
            | TargetMultiRegion => condition.wanted(),
        }
    }
}

impl Condition {
    fn path(self) -> Option<&'static str> {
        match self {
            On(path) | Off(path) | FlaggedOff(path) | Said(path) | Is(path, _) | IsNot(path, _) => {
                Some(path)
            }
            S3Source
            | DirectoryBucket
            | SourceDirectoryBucket
            | TargetDirectoryBucket
            | SourceArn
            | TargetArn
            | SourceMultiRegion
            | TargetMultiRegion => None,
        }
    }

    /// What would have to hold, in words.
    pub(super) fn wanted(self) -> String {
        match self {
            On(path) | Said(path) => format!("`{path}`"),
            Off(path) | FlaggedOff(path) => format!("`{path} = false`"),
            Is(path, words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("`{path}` = {}", words.join(" or "))
            }
            IsNot(path, word) => format!("another `{path}` than \"{word}\""),
            S3Source => "a source on S3".to_owned(),
            SourceDirectoryBucket => "a source that is a directory bucket".to_owned(),
            TargetDirectoryBucket => "a target that is a directory bucket".to_owned(),
            SourceArn => "a source that is the ARN of an access point".to_owned(),
            TargetArn => "a target that is the ARN of an access point".to_owned(),
            SourceMultiRegion => "a source that is a Multi-Region Access Point".to_owned(),
            TargetMultiRegion => "a target that is a Multi-Region Access Point".to_owned(),
            DirectoryBucket => "a directory bucket".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::option::Scope;
    use crate::config::options::find;

    #[test]
    fn rules_speak_of_options_and_words_there_are() {
        for rule in RULES.iter().chain([&AUTO_CHUNKSIZE]) {
            for condition in std::iter::once(&rule.this).chain(rule.those) {
                let Some(path) = condition.path() else {
                    continue;
                };
                let row = find(path).expect(path);
                assert_ne!(row.scope, Scope::Job, "{path}: rules are about pairs");
                let words = match condition {
                    Is(_, words) => words.to_vec(),
                    IsNot(_, word) => vec![*word],
                    _ => Vec::new(),
                };
                if !words.is_empty() {
                    let crate::config::option::Kind::Word(known) = row.kind else {
                        panic!("{path} has no words");
                    };
                    for word in words {
                        assert!(known.contains(&word), "{path} = {word}");
                    }
                }
            }
        }
    }
}
