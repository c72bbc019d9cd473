//! What deletion does in each store: what was listed goes, whatever took its place stays, and each
//! key has its own result.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::types::BucketVersioningStatus;
use s3sync::digest::{Algorithm, digest};
use s3sync::object::{ETag, Entry, ObjectKey, Timestamp};
use s3sync::sandbox::{Action, Moment, Rule, Sandbox, SandboxConfig, When};
use s3sync::store::retry::RetrySettings;
use s3sync::store::s3::{Encryption, Keys, S3Location, S3Settings, S3Store};
use s3sync::store::{
    ErrorKind, Meter, Put, Removal, Removed, Secret, Source as _, StoreError, Stored, Target as _,
    Withdrawn,
};

use crate::support::{Listed, case, key, put, read, removals, write};

/// What a store tells while it works.
#[derive(Debug, Default)]
struct Told {
    lost: Mutex<Vec<String>>,
    retries: Mutex<usize>,
}

impl Meter for Told {
    fn request(&self, _: &'static str, _: Option<u16>, _: Duration) {}
    fn retry(&self, _: &'static str, _: &str, _: Duration) {
        *self.retries.lock().expect("no panic") += 1;
    }
    fn lost(&self, what: &str, why: &str) {
        let told = format!("{what}: {why}");
        self.lost.lock().expect("no panic").push(told);
    }
}

/// A bucket as a store, with the sandbox it is in.
struct Place {
    store: S3Store,
    told: Arc<Told>,
    sandbox: Sandbox,
    client: aws_sdk_s3::Client,
    _dir: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = SandboxConfig {
            dir: dir.path().to_owned(),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.expect("a sandbox");
        sandbox.create_bucket("bucket").expect("a bucket");
        let settings = S3Settings {
            endpoint_url: Some(sandbox.endpoint_url()),
            region: Some(sandbox.region().to_owned()),
            force_path_style: true,
            keys: Some(Keys {
                access_key: Secret::new(sandbox.access_key()),
                secret_access_key: Secret::new(sandbox.secret_key()),
                session_token: None,
            }),
            encryption: Encryption::Bucket,
            retry: RetrySettings {
                attempts: 4,
                initial_backoff: Duration::from_millis(1),
            },
            ..S3Settings::new(S3Location::parse("s3://bucket").expect("a location"))
        };
        let told = Arc::new(Told::default());
        let store = S3Store::open(settings, Arc::<Told>::clone(&told)).await;
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new(sandbox.region().to_owned()))
            .endpoint_url(sandbox.endpoint_url())
            .force_path_style(true)
            .credentials_provider(aws_sdk_s3::config::Credentials::new(
                sandbox.access_key(),
                sandbox.secret_key(),
                None,
                None,
                "test",
            ));
        Self {
            store: store.expect("a store"),
            told,
            client: aws_sdk_s3::Client::from_conf(config.build()),
            sandbox,
            _dir: dir,
        }
    }

    /// One with these objects in it, each with its key as content, as they are listed.
    async fn with(keys: &[&str]) -> (Self, Vec<Removal>) {
        let place = Self::new().await;
        for text in keys {
            write(&place.store, text, (*text).to_owned())
                .await
                .expect("a put");
        }
        let listed = place.listed().await;
        (place, listed)
    }

    async fn listed(&self) -> Vec<Removal> {
        let listed = Listed::of(&self.store).await;
        listed.entries.iter().map(Removal::from).collect()
    }

    async fn keys(&self) -> Vec<String> {
        let listed = Listed::of(&self.store).await;
        listed.keys().into_iter().map(str::to_owned).collect()
    }

    /// Writes an object, and gives what its target told of it.
    async fn stored(&self, name: &str, text: &'static str) -> Stored {
        let (put, md5) = (
            put(name, text.len()),
            digest(Algorithm::Md5, text.as_bytes()),
        );
        let digests = [md5];
        let stored = self.store.put(&put, text.into(), &digests);
        stored.await.expect("a put")
    }

    async fn delete(&self, removals: &[Removal]) -> Vec<Result<Removed, StoreError>> {
        let results = self.store.delete(removals).await.expect("results");
        assert_eq!(results.len(), removals.len(), "one for each");
        results
    }

    async fn version(&self, status: BucketVersioningStatus) {
        let versioning = aws_sdk_s3::types::VersioningConfiguration::builder()
            .status(status)
            .build();
        let request = self.client.put_bucket_versioning().bucket("bucket");
        let request = request.versioning_configuration(versioning);
        request.send().await.expect("versioning");
    }

    async fn deny(&self, action: &str, keys: &str) {
        let policy = format!(
            r#"{{"Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:{action}","Resource":"arn:aws:s3:::bucket/{keys}"}}]}}"#
        );
        let request = self.client.put_bucket_policy().bucket("bucket");
        request.policy(policy).send().await.expect("a policy");
    }

    fn calls(&self) -> (u64, u64, u64) {
        let faults = self.sandbox.faults();
        (
            faults.calls("DeleteObjects"),
            faults.calls("DeleteObject"),
            faults.calls("HeadObject"),
        )
    }

    fn lost(&self) -> Vec<String> {
        self.told.lost.lock().expect("no panic").clone()
    }
}

fn kinds(results: &[Result<Removed, StoreError>]) -> Vec<Option<ErrorKind>> {
    let kind = |result: &Result<Removed, StoreError>| result.as_ref().err().map(|error| error.kind);
    results.iter().map(kind).collect()
}

fn refusal(status: u16, code: &str) -> Action {
    Action::Refuse {
        status,
        code: code.to_owned(),
        retry_after: None,
    }
}

#[tokio::test]
async fn what_took_the_place_of_a_listed_object_stays() {
    // the endpoint knows conditions; ignores them; takes none in batches; has no batches; has neither
    let heeds: &[Rule] = &[];
    let ignores = &[Rule::new(Action::Ignore("ETag".to_owned()))];
    let has_no_batches = &[Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects")];
    let has_no_batches_and_ignores = &[
        Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects"),
        Rule::new(Action::Ignore("if-match".to_owned())).operation("DeleteObject"),
    ];
    let has_neither = &[
        Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects"),
        Rule::new(refusal(501, "NotImplemented"))
            .operation("DeleteObject")
            .carrying("if-match"),
    ];
    for (name, rules, lost) in [
        ("heeds", heeds, &[][..]),
        (
            "ignores",
            ignores,
            &["conditions in the moment of deleting"],
        ),
        (
            "has no batches",
            has_no_batches,
            &["deleting many objects at once"],
        ),
        (
            "has no batches and ignores",
            has_no_batches_and_ignores,
            &[
                "conditions in the moment of deleting",
                "deleting many objects at once",
            ],
        ),
        (
            "has neither",
            has_neither,
            &[
                "conditions in the moment of deleting",
                "deleting many objects at once",
            ],
        ),
    ] {
        case(format_args!("{name}"));
        let (place, listed) = Place::with(&["a", "b", "c", "d"]).await;
        write(&place.store, "b", "somebody else's")
            .await
            .expect("a put");
        place
            .store
            .delete(&removals(&[key("c")]))
            .await
            .expect("gone");
        for rule in rules {
            place.sandbox.faults().add(rule.clone());
        }
        let results = place.delete(&listed).await;
        assert_eq!(
            kinds(&results),
            [None, Some(ErrorKind::PreconditionFailed), None, None],
            "{results:?}"
        );
        let words = results[1].as_ref().expect_err("it stays").to_string();
        assert!(words.contains("`b`: it was replaced since"), "{words}");
        assert_eq!(place.keys().await, ["b"]);
        let mut told = place.lost();
        told.sort();
        assert_eq!(told.len(), lost.len(), "{told:?}");
        for (told, lost) in told.iter().zip(lost) {
            assert!(told.starts_with(lost), "{told}");
        }
    }
}

/// One by one, some are gone when nothing more can be deleted: those are told as removed, and no
/// other one is begun.
#[tokio::test]
async fn what_was_removed_one_by_one_before_the_end_is_told() {
    let keys: Vec<_> = (0..100).map(|n| format!("{n:03}")).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let (place, listed) = Place::with(&keys).await;
    let faults = place.sandbox.faults();
    faults.add(Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects"));
    let expired = Rule::new(refusal(400, "ExpiredToken")).operation("DeleteObject");
    faults.add(expired.key("030"));
    let results = place.delete(&listed).await;
    let left = place.keys().await;
    let removed: Vec<_> = (keys.iter().zip(&results))
        .filter(|(_, result)| result.is_ok())
        .map(|(key, _)| *key)
        .collect();
    assert!(removed.len() >= 30, "{removed:?}");
    assert!(left.len() > 50, "no more are begun: {left:?}");
    let expected: Vec<_> = (keys.iter().copied())
        .filter(|key| !left.iter().any(|left| left == key))
        .collect();
    assert_eq!(removed, expected);
}

/// Nothing is asked of what is to be removed whatever it is.
#[tokio::test]
async fn whatever_is_there_goes_where_nothing_is_said_of_it() {
    let (place, _) = Place::with(&["a", "b"]).await;
    place.delete(&removals(&[key("a"), key("b")])).await;
    assert_eq!(place.keys().await, [""; 0]);
    assert_eq!(
        place.calls(),
        (1, 0, 0),
        "nothing is asked that helps nothing"
    );
}

/// A listing may tell no ETags. Then size and time say whether it is still the same object.
#[tokio::test]
async fn what_was_listed_without_an_etag_is_looked_at() {
    for (in_batches, may_read) in [(true, true), (false, true), (true, false)] {
        case(format_args!("{in_batches} {may_read}"));
        let keys = ["earlier", "gone", "larger", "same"];
        let (place, mut listed) = Place::with(&keys).await;
        for removal in &mut listed {
            let still = removal.still.as_mut().expect("as listed");
            still.etag = None;
            if removal.key.as_str() == "earlier" {
                still.modified = Timestamp::new(still.modified.seconds() - 1, 0);
            }
        }
        place.delete(&removals(&[key("gone")])).await;
        write(&place.store, "larger", "somebody else's")
            .await
            .expect("a put");
        if !may_read {
            place.deny("GetObject", "*").await;
        }
        let faults = place.sandbox.faults();
        if !in_batches {
            faults.add(Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects"));
        }
        faults.forget_calls();
        let results = place.delete(&listed).await;
        if !may_read {
            // what was listed is all that is known
            assert_eq!(kinds(&results), [None; 4], "{results:?}");
            assert_eq!(place.keys().await, [""; 0]);
            continue;
        }
        let replaced = Some(ErrorKind::PreconditionFailed);
        assert_eq!(kinds(&results), [replaced, None, replaced, None]);
        assert_eq!(place.keys().await, ["earlier", "larger"]);
        assert_eq!(place.calls().2, 4, "one look at each");
        let told = place.lost().join("\n");
        assert!(told.contains("what a listing tells no ETag of"), "{told}");
    }
}

/// Where nobody could find out whether the endpoint heeds conditions, each object is looked at.
#[tokio::test]
async fn what_took_the_place_stays_where_nothing_could_be_found_out() {
    let ignores = || Rule::new(Action::Ignore("ETag".to_owned()));
    let fails = |operation: &str, calls| {
        let rule = Rule::new(refusal(503, "SlowDown")).operation(operation);
        [ignores(), rule.when(When::First(calls))]
    };
    let stays = Some(ErrorKind::PreconditionFailed);
    let unseen = Some(ErrorKind::Transient);
    for (name, replaced, rules, expected) in [
        (
            "the first three are others",
            "abc",
            &[ignores()][..],
            [stays, stays, stays, None],
        ),
        ("looks fail", "b", &fails("HeadObject", 1000), [unseen; 4]),
        (
            "what is to find it out fails",
            "b",
            &fails("DeleteObjects", 4),
            [None, stays, None, None],
        ),
    ] {
        case(format_args!("{name}"));
        let (place, listed) = Place::with(&["a", "b", "c", "d"]).await;
        for key in replaced.chars().map(String::from) {
            let written = write(&place.store, &key, "somebody else's").await;
            written.expect("a put");
        }
        for rule in rules {
            place.sandbox.faults().add(rule.clone());
        }
        let results = place.delete(&listed).await;
        assert_eq!(kinds(&results), expected, "{results:?}");
        place.sandbox.faults().clear();
        let there = place.keys().await;
        assert!(replaced.chars().all(|it| there.contains(&it.to_string())));
    }
}

/// What is taken back is what was stored, and nothing that took its place since.
#[tokio::test]
async fn what_took_the_place_of_what_is_withdrawn_stays() {
    let heeds: &[Rule] = &[];
    let ignores = &[Rule::new(Action::Ignore("if-match".to_owned())).operation("DeleteObject")];
    let refuses = &[Rule::new(refusal(501, "NotImplemented"))
        .operation("DeleteObject")
        .carrying("if-match")];
    let named = ["of the same size", "larger", "own", "gone"];
    for (name, rules) in [("heeds", heeds), ("ignores", ignores), ("refuses", refuses)] {
        for has_etag in [true, false] {
            case(format_args!("{name} {has_etag}"));
            let place = Place::new().await;
            let mut stored = Vec::new();
            for text in named {
                let bytes = text.as_bytes();
                let digests = [Algorithm::Md5, Algorithm::Crc32].map(|of| digest(of, bytes));
                let asked = Put {
                    checksum: Some(Algorithm::Crc32),
                    ..put(text, bytes.len())
                };
                let put = place.store.put(&asked, bytes.to_vec().into(), &digests);
                let mut put = put.await.expect("a put");
                assert!(put.etag.is_some() && !put.checksums.is_empty());
                put.etag = put.etag.filter(|_| has_etag);
                stored.push(put);
            }
            let store = &place.store;
            let other = Put {
                checksum: Some(Algorithm::Crc32),
                ..put(named[0], named[0].len())
            };
            let bytes = "OF THE SAME SIZE";
            let digests = [Algorithm::Md5, Algorithm::Crc32].map(|of| digest(of, bytes.as_bytes()));
            let _ = store.put(&other, bytes.into(), &digests).await;
            write(store, "larger", "somebody else's")
                .await
                .expect("a put");
            place.delete(&removals(&[key("gone")])).await;
            for rule in rules {
                place.sandbox.faults().add(rule.clone());
            }
            let mut became = Vec::new();
            for (text, stored) in named.iter().zip(&stored) {
                became.push(store.withdraw(&key(text), stored).await.expect("done"));
            }
            assert_eq!(
                became,
                [
                    Withdrawn::Other,
                    Withdrawn::Other,
                    Withdrawn::Removed,
                    Withdrawn::Absent
                ]
            );
            assert_eq!(place.keys().await, ["larger", "of the same size"]);
        }
    }
}

/// What cannot be told from somebody else's is not taken back.
#[tokio::test]
async fn what_may_be_somebody_elses_is_not_withdrawn() {
    let ignores = Rule::new(Action::Ignore("if-match".to_owned())).operation("DeleteObject");
    let is_blind = Rule::new(refusal(503, "SlowDown")).operation("HeadObject");
    for (name, is_suspended, has_etag, rules, expected) in [
        (
            "the version null",
            true,
            true,
            &[][..],
            Ok(Withdrawn::Other),
        ),
        ("by its size alone", false, false, &[], Ok(Withdrawn::Other)),
        (
            "unseen",
            false,
            true,
            &[ignores, is_blind],
            Err(ErrorKind::Transient),
        ),
    ] {
        case(format_args!("{name}"));
        let place = Place::new().await;
        if is_suspended {
            place.version(BucketVersioningStatus::Suspended).await;
        }
        let mut stored = place.stored("k", "mine").await;
        assert_eq!(stored.version.as_deref(), is_suspended.then_some("null"));
        if !has_etag {
            stored.etag = None;
            stored.checksums.clear();
        }
        write(&place.store, "k", "them").await.expect("a put");
        for rule in rules {
            place.sandbox.faults().add(rule.clone());
        }
        let withdrawn = place.store.withdraw(&key("k"), &stored).await;
        assert_eq!(withdrawn.map_err(|error| error.kind), expected);
        place.sandbox.faults().clear();
        assert_eq!(place.keys().await, ["k"]);
    }
}

/// Of a bucket whose versioning is suspended, what was written is taken back.
#[tokio::test]
async fn the_version_null_is_withdrawn() {
    let place = Place::new().await;
    place.version(BucketVersioningStatus::Suspended).await;
    let stored = place.stored("k", "mine").await;
    let withdrawn = place.store.withdraw(&key("k"), &stored).await;
    assert_eq!(withdrawn.expect("done"), Withdrawn::Removed);
    assert!(place.keys().await.is_empty());
}

/// Statement 18: a 200 of DeleteObjects with errors in it is failures of those keys.
#[tokio::test]
async fn each_key_has_its_own_result() {
    for (name, with_conditions) in [("unconditional", false), ("conditional", true)] {
        case(format_args!("{name}"));
        let keys: Vec<_> = (0..1200).map(|n| format!("{n:04}")).collect();
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let (place, listed) = Place::with(&keys).await;
        place.deny("DeleteObject", "0?34").await;
        let asked: Vec<Removal> = if with_conditions {
            listed
        } else {
            keys.iter().map(|text| (&key(text)).into()).collect()
        };
        let results = place.delete(&asked).await;
        let denied: Vec<_> = (0..1200)
            .filter(|at| results[*at].is_err())
            .map(|at| keys[at])
            .collect();
        let expected: Vec<_> = (0..10).map(|n| format!("0{n}34")).collect();
        assert_eq!(denied, expected);
        let error = results[934].as_ref().expect_err("denied");
        assert_eq!(error.kind, ErrorKind::AccessDenied);
        assert_eq!(
            error.to_string(),
            "DeleteObjects `0934`: access denied (AccessDenied)"
        );
        assert_eq!(place.keys().await, expected);
        let (batches, alone, _) = place.calls();
        // one to find out about conditions, one to find out what was denied
        assert_eq!((batches, alone), (if with_conditions { 4 } else { 2 }, 0));
        assert_eq!(place.lost(), [""; 0]);
    }
}

#[tokio::test]
async fn keys_that_had_a_bad_moment_are_asked_for_again_and_no_others() {
    for (when, failed) in [(When::First(2), 0), (When::Always, 2)] {
        case(format_args!("{when:?}"));
        let (place, _) = Place::with(&["a", "b1", "b2", "c"]).await;
        let faults = place.sandbox.faults();
        let rule = Rule::new(refusal(500, "InternalError")).operation("DeleteObjects");
        faults.add(rule.key("b").when(when));
        let asked = removals(&["a", "b1", "b2", "c"].map(key));
        let results = place.delete(&asked).await;
        let errors = results.iter().filter(|result| result.is_err()).count();
        assert_eq!(errors, failed, "{results:?}");
        if failed > 0 {
            assert_eq!(place.keys().await, ["b1", "b2"]);
            assert_eq!(kinds(&results)[1], Some(ErrorKind::Transient));
            let words = results[2].as_ref().expect_err("failed").to_string();
            assert!(words.starts_with("DeleteObjects `b2`: "), "{words}");
        } else {
            assert_eq!(place.keys().await, [""; 0]);
        }
        let expected = if failed > 0 { 4 } else { 3 };
        assert_eq!(faults.calls("DeleteObjects"), expected);
        assert_eq!(
            *place.told.retries.lock().expect("no panic"),
            expected as usize - 1
        );
    }
}

/// The answer to a batch is lost after it was carried out: what the next attempt does not find is
/// what this one removed.
#[tokio::test]
async fn a_batch_whose_answer_was_lost_is_settled() {
    use BucketVersioningStatus::Enabled;
    for (versioned, in_batches) in [(false, true), (true, true), (false, false), (true, false)] {
        case(format_args!(
            "versioned {versioned} in batches {in_batches}"
        ));
        let (place, listed) = Place::with(&["a", "b"]).await;
        let faults = place.sandbox.faults();
        if versioned {
            place.version(Enabled).await;
        }
        // what conditions are worth is found out before
        write(&place.store, "first", "x").await.expect("a put");
        let first: Vec<_> = place.listed().await.split_off(2);
        place.delete(&first).await;
        let operation = if in_batches {
            "DeleteObjects"
        } else {
            "DeleteObject"
        };
        if !in_batches {
            faults.add(Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects"));
        }
        let lost = Rule::new(Action::Close(Moment::After)).operation(operation);
        faults.add(lost.when(When::First(if in_batches { 1 } else { 2 })));
        let results = place.delete(&listed).await;
        for result in &results {
            let removed = result.as_ref().expect("it is gone");
            let is_marked = matches!(removed, Removed::Marked(Some(_)));
            assert_eq!(is_marked, versioned, "{removed:?}");
        }
        assert_eq!(place.keys().await, [""; 0]);
        let versions = place
            .client
            .list_object_versions()
            .bucket("bucket")
            .prefix("a");
        let versions = versions.send().await.expect("versions");
        let markers = versions.delete_markers().len();
        assert_eq!(markers, usize::from(versioned), "one marker, not two");
    }
}

/// Statement 20: on a versioned target delete markers are told from removed objects.
#[tokio::test]
async fn markers_are_told_from_removals() {
    use BucketVersioningStatus::{Enabled, Suspended};
    for (state, in_batches, is_marked) in [
        (None, true, false),
        (None, false, false),
        (Some(Enabled), true, true),
        (Some(Enabled), false, true),
        (Some(Suspended), true, false),
        (Some(Suspended), false, false),
    ] {
        case(format_args!("{state:?} {in_batches}"));
        let (place, listed) = Place::with(&["a", "b\u{1}c"]).await;
        if let Some(state) = state.clone() {
            place.version(state).await;
        }
        if !in_batches {
            let rule = Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects");
            place.sandbox.faults().add(rule);
        }
        let results = place.delete(&listed).await;
        let versions = place.client.list_object_versions().bucket("bucket");
        let versions = versions.send().await.expect("versions");
        let mut ids: Vec<_> = versions
            .delete_markers()
            .iter()
            .map(|marker| (marker.key().unwrap_or_default(), marker.version_id()))
            .collect();
        ids.sort_unstable();
        for (at, result) in results.iter().enumerate() {
            let expected = if is_marked {
                Removed::Marked(ids[at].1.map(Into::into))
            } else {
                Removed::Object
            };
            assert_eq!(*result.as_ref().expect("removed"), expected);
        }
        let kept = versions.versions().len();
        assert_eq!(
            kept,
            if is_marked { 2 } else { 0 },
            "what `null` had is lost"
        );
    }
}

/// What XML cannot carry, or what a server may read as another key, is deleted by itself.
#[tokio::test]
async fn a_key_is_deleted_as_it_is_written() {
    let keys = [
        " a",
        "a",
        "a ",
        "a\nb",
        "a\rb",
        "a\u{1}b",
        "a\u{85}b",
        "a\u{ffff}b",
        "z",
    ];
    let (place, listed) = Place::with(&keys).await;
    let mut chosen = listed.clone();
    chosen.retain(|removal| !matches!(removal.key.as_str(), "a" | "z"));
    for result in place.delete(&chosen).await {
        result.expect("each is deleted");
    }
    assert_eq!(place.keys().await, ["a", "z"]);
    // one, which was looked at, tells whether conditions are heeded
    assert_eq!(place.calls(), (0, 7 + 1, 1));
}

/// A condition needs the permission to read, which a job that only writes may not have.
#[tokio::test]
async fn deletion_works_without_the_permission_to_read() {
    for in_batches in [true, false] {
        case(format_args!("{in_batches}"));
        let (place, listed) = Place::with(&["a", "b", "c"]).await;
        place.deny("GetObject", "*").await;
        if !in_batches {
            let rule = Rule::new(refusal(501, "NotImplemented")).operation("DeleteObjects");
            place.sandbox.faults().add(rule);
        }
        for result in place.delete(&listed).await {
            result.expect("each is deleted");
        }
        assert_eq!(place.keys().await, [""; 0]);
        let told = place.lost().join("\n");
        assert!(
            told.contains("conditions in the moment of deleting"),
            "{told}"
        );
        assert!(told.contains("s3:GetObject"), "{told}");
    }
}

/// A condition that fails where the object has the very ETag that was asked for is none.
#[tokio::test]
async fn a_condition_that_cannot_hold_is_left_out() {
    let (place, listed) = Place::with(&["a", "b"]).await;
    let rule = Rule::new(refusal(412, "PreconditionFailed")).operation("DeleteObjects");
    place.sandbox.faults().add(rule.key(""));
    for result in place.delete(&listed).await {
        result.expect("each is deleted");
    }
    assert_eq!(place.keys().await, [""; 0]);
    assert_eq!(place.lost().len(), 1, "{:?}", place.lost());
}

/// Of what was deleted before everything ended, it is said.
#[tokio::test]
async fn what_is_known_is_told_also_when_the_rest_fails() {
    let keys: Vec<_> = (0..1100).map(|n| format!("{n:04}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (place, _) = Place::with(&keys).await;
    let rule = Rule::new(refusal(400, "ExpiredToken")).operation("DeleteObjects");
    place.sandbox.faults().add(rule.when(When::From(2)));
    let asked: Vec<ObjectKey> = keys.iter().map(|text| key(text)).collect();
    let results = place.delete(&removals(&asked)).await;
    assert!(results[..1000].iter().all(Result::is_ok));
    let fatal = |result: &Result<Removed, StoreError>| {
        (result.as_ref()).is_err_and(|error| error.kind == ErrorKind::Fatal)
    };
    assert!(results[1000..].iter().all(fatal));
    let error = place.store.delete(&removals(&asked[1000..])).await;
    assert_eq!(
        error.map_err(|error| error.kind).err(),
        Some(ErrorKind::Fatal)
    );
}

/// A deletion that is proved by nothing but a listing is one of the very object: also of one in
/// parts, whose ETag is no MD5.
#[tokio::test]
async fn an_object_of_many_keys_costs_few_requests() {
    let keys: Vec<_> = (0..1100).map(|n| format!("d/{n:04}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (place, listed) = Place::with(&keys).await;
    let some: Vec<_> = listed.iter().map(|removal| removal.still.clone()).collect();
    assert!(some.iter().flatten().all(|still| still.etag.is_some()));
    for chunk in listed.chunks(1000) {
        for result in place.delete(chunk).await {
            result.expect("deleted");
        }
    }
    assert_eq!(place.keys().await, [""; 0]);
    assert_eq!(place.calls(), (3, 0, 1), "two, and one look and one trial");
    // what is not there is none of S3's business
    let entry = Entry {
        key: key("never"),
        size: 1,
        modified: Timestamp::new(0, 0),
        etag: Some(ETag::parse("d41d8cd98f00b204e9800998ecf8427e")),
        version: None,
        storage_class: None,
        checksum: None,
    };
    let results = place.delete(&[(&entry).into()]).await;
    assert_eq!(*results[0].as_ref().expect("gone"), Removed::Object);
    assert!(read(&place.store, "never").await.is_err());
    assert!(
        place
            .store
            .head((&key("never")).into(), false)
            .await
            .is_err()
    );
}
