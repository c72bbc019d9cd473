/*! Every file in `jobs/` is loaded by the program it is written for: a job file that names an
unknown option, an env file that names an unknown variable, a unit that starts s3sync with a flag
it does not have, all fail here.

What a unit, a container or a crontab line starts is started here too, with the variables it gives
and the files it names, but for a pair that no job has ([`understood`]): everything is read and
checked, and nothing begins.
*/

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use s3sync::config::{
    self, CheckMode, Environment, FlagValues, Job, OfTarget, OnUnverifiable, Pair, Problems,
    SourceSpec, TargetSpec, Versions,
};
use s3sync::object::Timestamp;
use serde_yaml_ng::Value as Yaml;

use crate::support::case;
use crate::world::{Ran, World};

/// The files and the test that loads each; a new file must be given one.
const FILES: &[(&str, &str)] = &[
    ("common.toml", "every_job_file_is_right"),
    ("container.env", "the_container_says_one_job_in_three_ways"),
    ("container.toml", "the_container_says_one_job_in_three_ways"),
    ("hooks/notify.sh", "the_nightly_job_tells_somebody"),
    ("nightly.toml", "the_nightly_job_goes_both_ways"),
    ("quickstart.toml", "every_job_file_is_right"),
    ("scripted.toml", "every_job_file_is_right"),
    ("scripts/cache_headers.lua", "every_script_has_a_test"),
    ("scripts/failures.lua", "every_script_has_a_test"),
    ("scripts/one_a_day.lua", "every_script_has_a_test"),
    ("scripts/skip_locked.lua", "every_script_has_a_test"),
    ("site.toml", "the_site_job_writes_over_nothing_of_others"),
    (
        "verified.toml",
        "the_verified_job_shows_every_kind_of_proof",
    ),
    (
        "versions.toml",
        "the_versions_job_keeps_history_and_goes_back",
    ),
    ("reference/job.toml", "the_reference_is_what_init_prints"),
    ("deploy/Dockerfile", "the_image_runs_as_nobody"),
    ("deploy/compose.yaml", "compose_runs_the_container"),
    ("deploy/cronjob.yaml", "the_cronjob_runs_the_container"),
    ("deploy/crontab", "cron_runs_the_nightly_job"),
    ("deploy/nightly.env", "systemd_runs_the_nightly_job"),
    (
        "deploy/s3sync-nightly.service",
        "systemd_runs_the_nightly_job",
    ),
    (
        "deploy/s3sync-nightly.timer",
        "systemd_runs_the_nightly_job",
    ),
];

#[test]
fn every_file_is_loaded_by_a_test() {
    let listed: BTreeSet<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files(&jobs()), listed);
    let tests = include_str!("jobs.rs");
    for (name, test) in FILES {
        assert!(tests.contains(&format!("fn {test}()")), "{name}: {test}");
    }
}

#[test]
fn every_job_file_is_right() {
    for name in files(&jobs()) {
        let path = jobs().join(&name);
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        case(format_args!("{name}"));
        let text = read(&name);
        let schema = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("#:schema "));
        let schema = path.with_file_name(schema.expect("`#:schema PATH` in the first line"));
        let folder = schema.parent().expect("a folder").file_name();
        assert_eq!(folder, Some("schemas".as_ref()), "{}", schema.display());
        match (load(&name, &[]), includers(&name)) {
            (Ok(job), _) => assert!(!job.pairs.is_empty(), "{name} has pairs"),
            // what is only there to be included has no pairs, and that is all that is wrong
            (Err(problems), 1..) => {
                assert_eq!(problems.len(), 1, "{problems}");
                assert!(problems.to_string().contains("has no pairs"), "{problems}");
            }
            (Err(problems), _) => panic!("{problems}"),
        }
    }
}

#[test]
fn every_script_has_a_test() {
    let tests = include_str!("example_scripts.rs");
    for (name, _) in FILES {
        if let Some(script) = name.strip_prefix("scripts/") {
            assert!(tests.contains(&format!("\"{script}\"")), "{script}");
            let told = format!("s3sync lua check jobs/{name} --key ");
            assert!(read(name).contains(&told), "{name} says how to try it");
        }
    }
}

/// `S3SYNC_TEST_BLESS=1` writes it; a file that is kept has a first line for editors, too.
#[test]
fn the_reference_is_what_init_prints() {
    let wanted = format!(
        "#:schema ../../schemas/job.v1.schema.json\n{}",
        config::template()
    );
    if std::env::var_os("S3SYNC_TEST_BLESS").is_some() {
        fs::write(jobs().join("reference/job.toml"), &wanted).expect("jobs/reference/ is there");
    }
    assert!(
        read("reference/job.toml") == wanted,
        "jobs/reference/job.toml is not what `s3sync init` prints; S3SYNC_TEST_BLESS=1 rewrites it"
    );
}

#[test]
fn a_file_that_is_wrong_does_not_pass() {
    let (pairs, world) = (read("container.env"), World::new());
    let wrong = pairs.replace("S3SYNC_LOG__FORMAT", "S3SYNC_LOG__FORMATS");
    let problems = said(&variables(&wrong)).expect_err("an unknown variable");
    assert!(
        problems.to_string().contains("S3SYNC_LOG__FORMATS"),
        "{problems}"
    );
    for (wrong, words) in [
        (
            "s3sync run --no-such-flag JOBS/container.toml",
            "--no-such-flag",
        ),
        ("s3sync run JOBS/nowhere.toml", "nowhere.toml"),
        ("s3sync rum JOBS/container.toml", "--pair"),
    ] {
        let jobs = jobs().display().to_string();
        let wrong = wrong.replace("JOBS", &jobs);
        let words_of_it: Vec<&str> = wrong.split_whitespace().collect();
        let ran = start(&world, &words_of_it, &[]);
        assert!(
            !is_understood(&ran) && ran.stderr.contains(words),
            "{wrong}: {}",
            ran.stderr
        );
    }
}

#[test]
fn the_nightly_job_goes_both_ways() {
    let job = right(load("nightly.toml", &[]));
    let ways: BTreeSet<_> = job.pairs.iter().map(way).collect();
    assert_eq!(ways.into_iter().collect::<Vec<_>>(), ["LS", "SL", "SS"]);
    // a variable of the machine is a name in the job
    let other = load("nightly.toml", &[("DR_BUCKET".into(), "elsewhere".into())]);
    let other = right(other).resolved.to_json().to_string();
    assert!(other.contains("s3://elsewhere/backup/"), "{other}");
}

#[test]
fn the_nightly_job_tells_somebody() {
    let job = right(load("nightly.toml", &[]));
    assert_eq!(job.execution.max_parallel_pairs, 2);
    assert!(job.execution.timeout.is_some());
    let [hook] = &job.hooks.each[..] else {
        panic!("one hook")
    };
    assert!(hook.on.holds("failed") && !hook.on.holds("success"));
    // what it says without a webhook is what somebody would be told
    let told = std::process::Command::new(hook.program())
        .env("S3SYNC_RUN_JOB", "nightly")
        .env("S3SYNC_RUN_STATUS", "failed")
        .env("S3SYNC_RUN_EXIT_CODE", "1")
        .env("S3SYNC_RUN_FAILED", "7")
        .env("S3SYNC_RUN_REPORT", "/reports/report.json")
        .env_remove("WEBHOOK")
        .output()
        .expect("a program");
    let said = String::from_utf8(told.stderr).expect("text");
    assert!(told.status.success(), "{said}");
    for words in [
        "nightly: failed, exit code 1",
        "7 failed",
        "/reports/report.json",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn the_verified_job_shows_every_kind_of_proof() {
    let job = right(load("verified.toml", &[]));
    let ways: BTreeSet<_> = job.pairs.iter().map(way).collect();
    assert_eq!(ways.into_iter().collect::<Vec<_>>(), ["LS", "SL", "SS"]);
    for pair in &job.pairs {
        let by_content = matches!(
            pair.check.mode,
            CheckMode::Content(_) | CheckMode::MtimeAndContent(_)
        );
        assert!(by_content, "{}", pair.name);
        let unproved = pair.verify.unverifiable;
        assert_eq!(unproved, OnUnverifiable::Fail, "{}", pair.name);
    }
    // and it can be checked, here with nobody there to answer
    let world = World::new();
    let path = jobs().join("verified.toml").display().to_string();
    understood(&world, &["s3sync", "check", &path].map(str::to_owned), &[]);
}

#[test]
fn the_versions_job_keeps_history_and_goes_back() {
    let job = right(load("versions.toml", &[]));
    let [history, before] = &job.pairs[..] else {
        panic!("{:?}", job.pairs);
    };
    assert_eq!((&*way(history), history.versions), ("SS", Versions::All));
    let time = Timestamp::parse("2026-01-31T12:00:00Z").expect("a time");
    assert_eq!(
        (&*way(before), before.versions),
        ("SL", Versions::AsOf(time))
    );
    // what is there may be newer, and is written over all the same
    assert_eq!(before.check.mode, CheckMode::Always);
}

#[test]
fn the_site_job_writes_over_nothing_of_others() {
    let job = right(load("site.toml", &[]));
    let [pages, assets, second] = &job.pairs[..] else {
        panic!("{:?}", job.pairs);
    };
    for (pair, expected, target) in [
        (pages, "LS", OfTarget::Listed),
        (assets, "LS", OfTarget::Nothing),
        (second, "SS", OfTarget::Anything),
    ] {
        assert_eq!((&*way(pair), pair.conditional.target), (expected, target));
    }
    assert!(second.tagging.sync_latest && !second.metadata.copy_user);
}

#[test]
fn the_container_says_one_job_in_three_ways() {
    let of_variables = right(said(&variables(&read("container.env"))));
    let of_file = right(load("container.toml", &[]));
    let folder = World::new();
    folder
        .tree("map")
        .write("job.toml", job_of_the_config_map().as_bytes());
    let of_config_map = right(load(folder.path("map/job.toml"), &[]));
    for job in [&of_variables, &of_file, &of_config_map] {
        assert_eq!(job.name, "container");
        // the variables name them by the alphabet; they run in one order
        let run = |job: &Job| {
            let pairs = job.order().into_iter().map(|at| &job.pairs[at]);
            let told = pairs.map(|pair| (pair.name.clone(), pair.digest.clone()));
            told.collect::<Vec<_>>()
        };
        let names = run(job).into_iter().map(|(name, _)| name);
        assert_eq!(names.collect::<Vec<_>>(), ["uploads", "offsite"]);
        assert_eq!(run(job), run(&of_file));
        assert_eq!(job.digest, of_file.digest);
    }
}

#[test]
fn compose_runs_the_container() {
    let compose = documents("deploy/compose.yaml").remove(0);
    let service = &compose["services"]["s3sync"];
    let env_file = text(&service["env_file"])
        .strip_prefix("../")
        .expect("a file in jobs/");
    let mut environment = variables(&read(env_file));
    let world = World::new();
    for (name, path) in service["environment"].as_mapping().expect("variables") {
        let secret = text(path).strip_prefix("/run/secrets/").expect("a secret");
        assert!(!compose["secrets"][secret].is_null(), "the secret {secret}");
        let granted = service["secrets"].as_sequence().expect("secrets");
        assert!(
            granted.iter().any(|name| text(name) == secret),
            "{secret} is granted"
        );
        environment.push((text(name).to_owned(), secret_file(&world, secret)));
    }
    understood(&world, &entry_point(&service["command"]), &environment);

    let build = &service["build"];
    let context = jobs().join("deploy").join(text(&build["context"]));
    assert!(context.join(text(&build["dockerfile"])).is_file());
    assert!(context.join("Cargo.toml").is_file());
    let volumes = texts(&service["volumes"]);
    for source in local_sources(&right(load("container.toml", &[]))) {
        let mount = format!(":{source}:ro");
        assert!(
            volumes.iter().any(|volume| volume.ends_with(&mount)),
            "{mount}"
        );
    }
    assert!(
        volumes
            .iter()
            .any(|volume| volume.ends_with(":/var/lib/s3sync"))
    );
    assert_eq!(service["read_only"], Yaml::Bool(true));
    assert_eq!(text(&service["stop_grace_period"]), "60s");
}

#[test]
fn the_cronjob_runs_the_container() {
    let cron = documents("deploy/cronjob.yaml").remove(1);
    assert_eq!(cron["spec"]["concurrencyPolicy"], Yaml::from("Forbid"));
    assert_eq!(cron["spec"]["timeZone"], Yaml::from("Europe/Berlin"));
    assert_eq!(
        cron["spec"]["jobTemplate"]["spec"]["backoffLimit"],
        Yaml::from(0)
    );
    let pod = &cron["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], Yaml::from("Never"));
    assert_eq!(pod["securityContext"]["runAsNonRoot"], Yaml::Bool(true));
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"]["readOnlyRootFilesystem"],
        Yaml::Bool(true)
    );
    assert_eq!(
        text(&container["image"]),
        concat!("s3sync:", env!("CARGO_PKG_VERSION"))
    );

    let world = World::new();
    world
        .tree("map")
        .write("job.toml", job_of_the_config_map().as_bytes());
    let mut environment = Vec::new();
    for variable in container["env"].as_sequence().expect("variables") {
        let secret = text(&variable["value"]).strip_prefix("/run/secrets/s3sync/");
        let secret = secret.expect("a file of the secret");
        environment.push((
            text(&variable["name"]).to_owned(),
            secret_file(&world, secret),
        ));
    }
    let map = world.path("map").display().to_string();
    let words = entry_point(&container["args"]);
    let words = words.iter().map(|word| word.replace("/etc/s3sync", &map));
    understood(&world, &words.collect::<Vec<_>>(), &environment);

    let mounts = container["volumeMounts"].as_sequence().expect("mounts");
    let mount = |path: &str| {
        mounts
            .iter()
            .find(|mount| text(&mount["mountPath"]) == path)
    };
    for (path, is_read_only) in [
        ("/etc/s3sync", true),
        ("/run/secrets/s3sync", true),
        ("/data", true),
        ("/var/lib/s3sync", false),
    ] {
        let mount = mount(path).unwrap_or_else(|| panic!("{path} is mounted"));
        assert_eq!(
            mount["readOnly"].as_bool().unwrap_or(false),
            is_read_only,
            "{path}"
        );
        let volumes = pod["volumes"].as_sequence().expect("volumes");
        assert!(
            volumes.iter().any(|volume| volume["name"] == mount["name"]),
            "{path}"
        );
    }
    for source in local_sources(&right(load("container.toml", &[]))) {
        assert!(mount(&source).is_some(), "{source} is mounted");
    }
}

#[test]
fn the_image_runs_as_nobody() {
    let file = read("deploy/Dockerfile");
    let lines: Vec<(&str, &str)> = file
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            line.split_once(' ')
                .expect("an instruction and its arguments")
        })
        .collect();
    let all = |wanted: &str| {
        let lines = lines.iter().filter(|(name, _)| *name == wanted);
        lines.map(|(_, rest)| *rest).collect::<Vec<_>>()
    };
    let words = |text: &str| serde_json::from_str::<Vec<String>>(text).expect("the exec form");
    for base in all("FROM") {
        let name = base.split(' ').next().unwrap_or_default();
        let tag = name.split_once(':').expect("a tag").1;
        assert_ne!(tag, "latest", "{base}");
    }
    assert!(all("FROM").len() > 1, "the compiler stays behind");
    let rust = concat!("rust:", env!("CARGO_PKG_RUST_VERSION"), "-");
    assert!(all("FROM")[0].starts_with(rust), "{rust}");
    for copy in all("COPY") {
        let mut words: Vec<&str> = copy.split(' ').collect();
        words.pop();
        let from = words.iter().position(|word| word.starts_with("--from="));
        match from {
            Some(at) => assert!(
                file.contains(&format!(" AS {}\n", &words[at][7..])),
                "{copy}"
            ),
            None => {
                for path in words {
                    assert!(root().join(path).exists(), "{copy}");
                }
            }
        }
    }
    assert_eq!(
        all("ENTRYPOINT").into_iter().map(words).collect::<Vec<_>>(),
        [["s3sync"]]
    );
    assert_eq!(all("HEALTHCHECK"), ["NONE"]);
    let user = all("USER").pop().expect("a user");
    let id = user.split(':').next().and_then(|id| id.parse::<u32>().ok());
    assert!(
        id.is_some_and(|id| id > 0),
        "a number, so that runAsNonRoot can see it: {user}"
    );
    assert_eq!(
        all("VOLUME").into_iter().map(words).collect::<Vec<_>>(),
        [["/var/lib/s3sync"]]
    );
    let world = World::new();
    let command = [words(all("ENTRYPOINT")[0]), words(all("CMD")[0])].concat();
    understood(&world, &command, &variables(&read("container.env")));
}

#[test]
fn systemd_runs_the_nightly_job() {
    let unit = Unit::read("deploy/s3sync-nightly.service");
    let timer = Unit::read("deploy/s3sync-nightly.timer");
    assert_eq!(timer.all("OnCalendar"), ["*-*-* 02:30:00"]);
    assert_eq!(timer.all("Persistent"), ["true"]);
    assert_eq!(unit.all("Type"), ["oneshot"]);
    assert!(
        unit.all("SuccessExitStatus").is_empty(),
        "warnings are told"
    );
    let [command] = unit.all("ExecStart")[..] else {
        panic!("one command");
    };
    let mut environment = Vec::new();
    for file in unit.all("EnvironmentFile") {
        let content = fs::read_to_string(installed(file)).expect("the env file");
        environment.extend(variables(&content));
    }
    let world = World::new();
    understood(&world, &words(command), &environment);

    let writable = unit.all("ReadWritePaths").join(" ");
    let job = right(load("nightly.toml", &environment));
    for target in local_targets(&job) {
        assert!(writable.contains(&target), "{target} is writable");
    }
    assert_eq!(unit.all("StateDirectory"), ["s3sync"]);
    assert_eq!(job.report.dir, Path::new("/var/lib/s3sync"));
}

#[test]
fn cron_runs_the_nightly_job() {
    let crontab = read("deploy/crontab");
    let lines = crontab.lines().filter(|line| !line.starts_with('#'));
    let (settings, jobs): (Vec<&str>, Vec<&str>) = lines.partition(|line| {
        line.split_once('=')
            .is_some_and(|(name, _)| !name.contains(' '))
    });
    assert!(
        settings.iter().any(|line| line.starts_with("MAILTO=")),
        "{settings:?}"
    );
    let [job] = jobs[..] else {
        panic!("one line: {jobs:?}");
    };
    assert!(!job.contains('%'), "cron ends a command there");
    let fields: Vec<&str> = job.splitn(6, ' ').collect();
    assert_eq!(fields[..5], ["30", "2", "*", "*", "*"]);
    let command = fields[5].split(" > ").next().expect("a command");
    understood(&World::new(), &words(command), &[]);
}

/// Asserts that a command as it would be started finds the files it names, and that every word of
/// it and every variable means something.
#[track_caller]
fn understood(world: &World, words: &[String], environment: &[(String, String)]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = start(world, &words, environment);
    assert!(is_understood(&ran), "{words:?}: {}", ran.stderr);
}

/// Starts a command for a pair that no job has.
fn start(world: &World, words: &[&str], environment: &[(String, String)]) -> Ran {
    let program = Path::new(words[0]).file_name();
    assert_eq!(program, Some("s3sync".as_ref()), "{words:?}");
    let arguments: Vec<String> = words[1..].iter().map(|word| installed(word)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut run = world.command(&arguments).arguments(&["--pair", NO_PAIR]);
    for (name, value) in environment {
        run = run.environment(name, value);
    }
    run.run()
}

const NO_PAIR: &str = "no_such_pair";

/// Whether nothing was wrong but the pair.
fn is_understood(ran: &Ran) -> bool {
    let errors = ran.stderr.matches("error: ").count();
    errors == 1
        && ran
            .stderr
            .starts_with(&format!("error: no pair is called `{NO_PAIR}`"))
}

/// Where a file of a machine's `/etc/s3sync` is kept here.
fn installed(path: &str) -> String {
    let Some(name) = path.strip_prefix("/etc/s3sync/") else {
        return path.to_owned();
    };
    let here = [jobs().join(name), jobs().join("deploy").join(name)];
    let found = here.iter().find(|path| path.is_file());
    found
        .unwrap_or_else(|| panic!("{path} is nowhere in jobs/"))
        .display()
        .to_string()
}

/// A directive of a unit, its comments left out.
struct Unit(Vec<(String, String)>);

impl Unit {
    fn read(name: &str) -> Self {
        let text = read(name);
        let lines = text.lines().filter(|line| !line.starts_with(['#', '[']));
        let lines = lines.filter_map(|line| line.split_once('='));
        Self(
            lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    fn all(&self, wanted: &str) -> Vec<&str> {
        let lines = self.0.iter().filter(|(name, _)| name == wanted);
        lines.map(|(_, value)| value.as_str()).collect()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn jobs() -> PathBuf {
    root().join("jobs")
}

fn read(name: &str) -> String {
    fs::read_to_string(jobs().join(name)).expect("a file of jobs/")
}

/// Every file below a directory, by its path there.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("UTF-8");
        if entry.path().is_dir() {
            found.extend(
                files(&entry.path())
                    .iter()
                    .map(|below| format!("{name}/{below}")),
            );
        } else {
            found.insert(name);
        }
    }
    found
}

/// How many job files include this one.
fn includers(name: &str) -> usize {
    let quoted = format!("{name:?}");
    let includes = |other: &&String| {
        let text = read(other);
        text.lines()
            .any(|line| line.starts_with("include = ") && line.contains(&quoted))
    };
    files(&jobs()).iter().filter(includes).count()
}

fn environment(variables: &[(String, String)]) -> Environment {
    let variables = variables.iter();
    Environment::new(
        variables.map(|(name, value)| (name.into(), value.into())),
        root(),
    )
}

/// A job file, with nothing in the environment but this.
fn load(name: impl AsRef<Path>, variables: &[(String, String)]) -> Result<Job, Problems> {
    let path = jobs().join(name);
    config::load_file(&path, &environment(variables), &FlagValues::default())
}

/// The job, or what is wrong with it as a user reads it.
#[track_caller]
fn right(job: Result<Job, Problems>) -> Job {
    job.unwrap_or_else(|problems| panic!("{problems}"))
}

/// `LS`, `SL` or `SS`: a directory, then a bucket, and so on.
fn way(pair: &Pair) -> String {
    let from = if matches!(pair.source, SourceSpec::Local(_)) {
        'L'
    } else {
        'S'
    };
    let to = if matches!(pair.target, TargetSpec::Local(_)) {
        'L'
    } else {
        'S'
    };
    [from, to].into_iter().collect()
}

/// The directories a job reads.
fn local_sources(job: &Job) -> Vec<String> {
    let local = |pair: &Pair| match &pair.source {
        SourceSpec::Local(settings) => Some(shown(&settings.root)),
        SourceSpec::S3(_) => None,
    };
    job.pairs.iter().filter_map(local).collect()
}

/// The directories a job writes to.
fn local_targets(job: &Job) -> Vec<String> {
    let local = |pair: &Pair| match &pair.target {
        TargetSpec::Local(settings) => Some(shown(&settings.root)),
        TargetSpec::S3(_) => None,
    };
    job.pairs.iter().filter_map(local).collect()
}

/// A directory without the slash at its end.
fn shown(directory: &Path) -> String {
    directory
        .display()
        .to_string()
        .trim_end_matches('/')
        .to_owned()
}

/// The job that variables alone say.
fn said(variables: &[(String, String)]) -> Result<Job, Problems> {
    config::from_environment(&environment(variables), &FlagValues::default())
}

/// The variables of an env file as docker and systemd read it, quotes and all.
fn variables(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').expect("NAME=value"))
        .map(|(name, value)| {
            assert!(
                !value.contains(['"', '\'', '#']),
                "{name}: read in more than one way"
            );
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn documents(name: &str) -> Vec<Yaml> {
    let text = read(name);
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    documents
        .map(|document| serde::Deserialize::deserialize(document).expect("YAML"))
        .collect()
}

fn job_of_the_config_map() -> String {
    let map = documents("deploy/cronjob.yaml").remove(0);
    text(&map["data"]["job.toml"]).to_owned()
}

fn text(value: &Yaml) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("text, not {value:?}"))
}

fn texts(value: &Yaml) -> Vec<&str> {
    value
        .as_sequence()
        .expect("a list")
        .iter()
        .map(text)
        .collect()
}

/// What a container starts with these arguments.
fn entry_point(arguments: &Yaml) -> Vec<String> {
    let arguments = texts(arguments).into_iter();
    std::iter::once("s3sync")
        .chain(arguments)
        .map(str::to_owned)
        .collect()
}

fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

/// A file with a secret, in place of the one a container has.
fn secret_file(world: &World, name: &str) -> String {
    world.tree("secrets").write(name, b"secret\n");
    world.path("secrets").join(name).display().to_string()
}
