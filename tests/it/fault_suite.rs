/*! Every fault of the wire and of the endpoint, in every direction, with deletion on.

After each of them the target holds the old or the new of each object, the report adds up
([`Ran`](crate::world::Ran) is audited), nothing is left lying about, the next run makes both sides
equal, and the one after that does nothing.
*/

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use s3sync::sandbox::{Action, Moment, Rule, When};

use crate::stage::{Objects, Stage, Way};
use crate::support::case;
use crate::world::{Blow, Body, Damage, Ran, Run};

/// What goes wrong in a run.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) name: String,
    rules: Vec<Rule>,
    blows: Vec<Blow>,
    /// Connections that are closed as soon as they are made.
    refused: usize,
    options: &'static [(&'static str, &'static str)],
    ends: Ends,
}

/// How the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// As if nothing had been.
    Well,
    /// It failed, in part or as a whole, says so, and has deleted nothing.
    Badly,
    /// The same; it was turned away for good, and an upload that it could not end for that reason
    /// is left to the next run, which is said.
    TurnedAway,
    /// Something was not done, and it says so; whatever else there was to do is done, deletions as
    /// well.
    Partly,
    /// One or the other.
    Somehow,
}

impl Fault {
    fn new(name: impl Into<String>, rules: Vec<Rule>, ends: Ends) -> Self {
        Self {
            name: name.into(),
            rules,
            blows: Vec::new(),
            refused: 0,
            options: &[],
            ends,
        }
    }

    fn of_wire(name: impl Into<String>, blow: Blow) -> Self {
        Self {
            blows: vec![blow],
            ..Self::new(name, Vec::new(), Ends::Well)
        }
    }

    fn with(self, options: &'static [(&'static str, &'static str)]) -> Self {
        Self { options, ..self }
    }

    /// Lets it happen.
    fn strike(&self, stage: &Stage) {
        for rule in &self.rules {
            stage.world.faults().add(rule.clone());
        }
        stage.wire.strike(&self.blows);
        stage.wire.refuse(self.refused);
    }

    fn run<'s>(&self, stage: &'s Stage) -> Run<'s> {
        let mut run = stage.run();
        for (option, value) in self.options {
            run = run.set(option, value);
        }
        run
    }

    /// Plays it: a change of the source, a run with the fault, and a run without.
    pub(crate) fn play(&self, stage: &mut Stage) {
        case(format_args!("{:?}: {}", stage.way, self.name));
        let before = stage.target();
        stage.change();
        self.strike(stage);
        let ran = self.run(stage).run();
        stage.world.faults().clear();
        self.has_ended(stage, &before, &ran);
        if self.ends == Ends::Well {
            stage.rests();
        } else {
            stage.converge();
        }
    }

    fn has_ended(&self, stage: &Stage, before: &Objects, ran: &Ran) {
        let is_well = ran.has_ended(0);
        let told = || format!("{:?}, {}: {}", stage.way, self.name, ran.told());
        match self.ends {
            Ends::Well => assert!(is_well, "{}", told()),
            Ends::Badly | Ends::TurnedAway | Ends::Partly => assert!(!is_well, "{}", told()),
            Ends::Somehow => {}
        }
        stage.holds_old_or_new(before);
        match self.ends {
            Ends::TurnedAway if stage.has_uploads() => {
                ran.says("cannot be removed")
                    .says("the next run tries again");
            }
            _ => stage.is_tidy(),
        }
        match self.ends {
            _ if is_well => stage.is_equal(),
            Ends::Partly => {}
            Ends::Well | Ends::Badly | Ends::TurnedAway | Ends::Somehow => {
                stage.has_deleted_nothing(before);
            }
        }
    }
}

/// All faults of a way.
pub(crate) fn faults(way: Way) -> Vec<Fault> {
    let mut faults = of_content(way);
    faults.extend(of_the_rest(way));
    faults
}

/// Those that strike what this way alone does, or does in its own manner.
fn of_content(way: Way) -> Vec<Fault> {
    let mut faults = of_transfers(way);
    faults.extend(of_bodies(way));
    faults.extend(of_deletions(way));
    faults
}

/// Those that strike what one side does, whatever the other is.
fn of_the_rest(way: Way) -> Vec<Fault> {
    let mut faults = of_listings(way);
    faults.extend(of_the_wire(way));
    faults.extend(of_credentials());
    faults
}

fn refuse(status: u16, code: &str) -> Rule {
    Rule::new(Action::Refuse {
        status,
        code: code.to_owned(),
        retry_after: None,
    })
}

/// Refusals, lost connections and lost answers of whatever moves content.
fn of_transfers(way: Way) -> Vec<Fault> {
    let mut faults = Vec::new();
    for operation in way.operations() {
        let twice = |what: &str, rule: Rule| {
            let rule = rule.operation(operation).when(When::First(2));
            Fault::new(format!("{what}, {operation} twice"), vec![rule], Ends::Well)
        };
        faults.push(twice(
            "lost before",
            Rule::new(Action::Close(Moment::Before)),
        ));
        faults.push(twice("lost after", Rule::new(Action::Close(Moment::After))));
        let always = refuse(503, "SlowDown").operation(operation);
        faults.push(Fault::new(
            format!("503, {operation} always"),
            vec![always],
            Ends::Badly,
        ));
        if matches!(*operation, "CopyObject" | "CompleteMultipartUpload") {
            for moment in [Moment::Before, Moment::After] {
                let rule = Rule::new(Action::ErrorInOk(moment));
                let name = format!("an error in a 200 ({moment:?})");
                faults.push(twice(&name, rule));
            }
        }
    }
    for (status, code) in [
        (500, "InternalError"),
        (503, "SlowDown"),
        (429, "TooManyRequests"),
    ] {
        let rule = refuse(status, code).when(When::Every(3));
        let name = format!("{status} on every third request");
        // requests at once may be in step with it
        let fault = Fault::new(name, vec![rule], Ends::Well);
        faults.push(fault.with(&[("retry.aws_max_attempts", "12")]));
    }
    let denied = refuse(403, "AccessDenied").operation(way.operations()[0]);
    faults.push(Fault::new(
        "403, one object",
        vec![denied.when(When::Nth(1))],
        Ends::Partly,
    ));
    faults
}

/// Refusals, lost connections and lost answers of deletions at S3.
fn of_deletions(way: Way) -> Vec<Fault> {
    if way == Way::Down {
        return Vec::new();
    }
    let add = |name: &str, rule: Rule, ends| {
        let rule = rule.operation("DeleteObjects");
        Fault::new(format!("{name}, DeleteObjects"), vec![rule], ends)
    };
    let lost = |moment| Rule::new(Action::Close(moment)).when(When::First(2));
    let denied = || refuse(403, "AccessDenied");
    vec![
        add("lost before, twice", lost(Moment::Before), Ends::Well),
        add("lost after, twice", lost(Moment::After), Ends::Well),
        add(
            "503 twice",
            refuse(503, "SlowDown").when(When::First(2)),
            Ends::Well,
        ),
        add("503 always", refuse(503, "SlowDown"), Ends::Badly),
        add("403 for one key", denied().key(".1"), Ends::Partly),
        add(
            "500 for one key, once",
            refuse(500, "InternalError").key(".1").when(When::First(1)),
            Ends::Well,
        ),
        add(
            "cut",
            Rule::new(Action::CutResponse(60)).when(When::First(1)),
            Ends::Well,
        ),
        add(
            "names nobody knows",
            Rule::new(Action::Reword("<Key>", "<Kex>")),
            Ends::Well,
        ),
    ]
}

/// Bodies that are damaged, cut, slow or late.
fn of_bodies(way: Way) -> Vec<Fault> {
    const IN_A_SECOND: &[(&str, &str)] = &[("timeout.read", "\"1s\"")];
    let mut faults = Vec::new();
    let mut add = |name: &str, operation: &'static str, action: Action, at_times: bool| {
        let once = Rule::new(action.clone()).operation(operation);
        faults.push(Fault::new(
            format!("{name}, {operation} once"),
            vec![once.clone().when(When::First(1))],
            Ends::Well,
        ));
        if !at_times {
            faults.push(Fault::new(
                format!("{name}, {operation} always"),
                vec![once],
                Ends::Badly,
            ));
        }
    };
    if matches!(way, Way::Down | Way::Across) {
        add("flipped", "GetObject", Action::FlipResponse(5), false);
        add("cut", "GetObject", Action::CutResponse(5), false);
        let slow = Action::Trickle(Duration::from_millis(1));
        add("slow", "GetObject", slow, true);
    }
    if matches!(way, Way::Up | Way::Across) {
        for operation in ["PutObject", "UploadPart"] {
            add("flipped", operation, Action::FlipRequest(5), false);
            add("stored wrong", operation, Action::FlipStored, true);
        }
    }
    let late = Rule::new(Action::Delay(Duration::from_secs(3))).operation(way.operations()[0]);
    faults.push(Fault::new("silence", vec![late.when(When::Nth(1))], Ends::Well).with(IN_A_SECOND));
    faults
}

/// Listings that fail, repeat and lie, on either side.
fn of_listings(way: Way) -> Vec<Fault> {
    let mut faults = Vec::new();
    for bucket in way.buckets() {
        let page = |action: Action| Rule::new(action).operation("ListObjectsV2").bucket(bucket);
        let refused = |status, code: &str| {
            refuse(status, code)
                .operation("ListObjectsV2")
                .bucket(bucket)
        };
        let mut add = |name: &str, rule: Rule, ends| {
            faults.push(Fault::new(format!("{bucket}: {name}"), vec![rule], ends));
        };
        let last = When::From(3);
        add(
            "503 from the third page on",
            refused(503, "SlowDown").when(last),
            Ends::Badly,
        );
        add(
            "403 from the third page on",
            refused(403, "AccessDenied").when(last),
            Ends::Badly,
        );
        add(
            "lost from the third page on",
            page(Action::Close(Moment::Before)).when(last),
            Ends::Badly,
        );
        add(
            "cut from the third page on",
            page(Action::CutResponse(200)).when(last),
            Ends::Badly,
        );
        add(
            "a 503 on the second page",
            refused(503, "SlowDown").when(When::Nth(2)),
            Ends::Well,
        );
        add(
            "cut on the second page",
            page(Action::CutResponse(200)).when(When::Nth(2)),
            Ends::Well,
        );
        for (name, when) in [
            ("the first page", When::Nth(1)),
            ("the second page", When::Nth(2)),
            ("a late page", When::Nth(4)),
            ("every page", When::Always),
        ] {
            add(
                &format!("{name} turned round"),
                page(Action::TurnRound).when(when),
                Ends::Well,
            );
        }
        let again =
            || page(Action::Ignore("continuation-token".to_owned())).carrying("continuation-token");
        add("a page comes twice", again().when(When::Nth(2)), Ends::Well);
        add("a page comes for ever", again(), Ends::Badly);
        let endless = || page(Action::Without("NextContinuationToken"));
        add(
            "one page names no token",
            endless().when(When::Nth(1)),
            Ends::Well,
        );
        add("no page names a token", endless(), Ends::Badly);
        for (name, this, that) in [
            ("sizes below zero", "<Size>", "<Size>-"),
            ("no times", "<LastModified>", "<LastModified>then "),
            ("keys of somebody else", "<Key>data", "<Key>atad"),
            ("keys that are no text", "<Key>", "<Key>%FF"),
            (
                "no end that can be read",
                "<IsTruncated>",
                "<IsTruncated>perhaps ",
            ),
            ("no keys", "<Key>", "<Kex>"),
        ] {
            add(name, page(Action::Reword(this, that)), Ends::Badly);
        }
    }
    faults
}

/// What happens below HTTP.
fn of_the_wire(way: Way) -> Vec<Fault> {
    let blow = |of, method, path, damage| Blow {
        of,
        method,
        path,
        damage,
        times: 1,
    };
    let mut faults = vec![Fault {
        refused: 2,
        ..Fault::new("reset at the connection", Vec::new(), Ends::Well)
    }];
    let large = "changed/large";
    if matches!(way, Way::Up | Way::Across) {
        for (name, damage) in [
            ("flipped", Damage::Flip(100)),
            ("reset within", Damage::Cut(1 << 20)),
        ] {
            let blow = blow(Body::Request, "PUT", large, damage);
            faults.push(Fault::of_wire(format!("the body of a PUT {name}"), blow));
        }
        let lost = blow(Body::Answer, "POST", large, Damage::Cut(10));
        faults.push(Fault::of_wire("an answer to a POST cut", lost));
    }
    if matches!(way, Way::Down | Way::Across) {
        for (name, damage) in [
            ("flipped", Damage::Flip(100)),
            ("reset within", Damage::Cut(1 << 20)),
        ] {
            let blow = blow(Body::Answer, "GET", large, damage);
            faults.push(Fault::of_wire(format!("the body of a GET {name}"), blow));
        }
        let held = blow(Body::Answer, "GET", large, Damage::Hold(1 << 20));
        faults.push(
            Fault::of_wire("the body of a GET held", held).with(&[("timeout.read", "\"1s\"")]),
        );
    }
    let listing = blow(Body::Answer, "GET", "list-type=2", Damage::Cut(300));
    faults.push(Fault::of_wire("a listing reset within", listing));
    faults
}

/// Credentials and clocks.
fn of_credentials() -> Vec<Fault> {
    let expired = || refuse(400, "ExpiredToken");
    vec![
        Fault::new("expired from the start", vec![expired()], Ends::Badly),
        Fault::new(
            "expired on the way",
            vec![expired().when(When::From(12))],
            Ends::TurnedAway,
        ),
        Fault::new(
            "a clock that is wrong",
            vec![refuse(403, "RequestTimeTooSkewed").when(When::Nth(9))],
            Ends::Somehow,
        ),
        Fault::new(
            "a clock that stays wrong",
            vec![refuse(403, "RequestTimeTooSkewed").when(When::From(9))],
            Ends::TurnedAway,
        ),
    ]
}

/// Plays what a way has, and then says what of it it did not stand. What strikes one side is played
/// where the other is a directory, and in all ways with `S3SYNC_TEST_FAULTS=all`.
fn all_of(way: Way) {
    let all = std::env::var("S3SYNC_TEST_FAULTS").is_ok_and(|which| which == "all");
    let faults = match way {
        Way::Across | Way::Inside if !all => of_content(way),
        Way::Up | Way::Down | Way::Across | Way::Inside => faults(way),
    };
    let mut stage = Stage::new(way);
    let mut fell = Vec::new();
    for fault in faults {
        let played = catch_unwind(AssertUnwindSafe(|| fault.play(&mut stage)));
        if played.is_err() {
            fell.push(fault.name);
            stage = Stage::new(way);
        }
    }
    assert!(fell.is_empty(), "{way:?}: {fell:#?}");
}

/// Statement 13: a LIST that fails on page k (503, reset, 403) on either side → zero deletes.
/// Statement 28: a byte flips in a download → the destination path is never replaced, retried, then
/// failed.
/// Statement 30: CompleteMultipartUpload answers 200 with an `<Error>` body → settled.
/// Statement 42: an unsorted listing → the same result as a sorted one.
/// Statement 46: 503 SlowDown on 30 % of requests → completes, exit 0.
/// Statement 48: credentials expired for good → stops.
#[test]
fn up_through_every_fault() {
    all_of(Way::Up);
}

/// The same.
#[test]
fn down_through_every_fault() {
    all_of(Way::Down);
}

/// The same.
#[test]
fn across_through_every_fault() {
    all_of(Way::Across);
}

/// The same.
#[test]
fn inside_s3_through_every_fault() {
    all_of(Way::Inside);
}
