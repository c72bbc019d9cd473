//! Job files that are made of several, and files that are none.

use super::*;
use crate::effort::spent;

/// A folder with these files; the first is the job file.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, content) in files {
            folder.write(name, content.as_bytes());
        }
        folder
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    }

    fn environment(&self, variables: &[(&str, &str)]) -> Environment {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Environment::new(variables, self.0.path())
    }

    fn load(&self, name: &str) -> Result<Job, Problems> {
        self.load_with(name, &[], &FlagValues::default())
    }

    fn load_with(
        &self,
        name: &str,
        variables: &[(&str, &str)],
        flags: &FlagValues,
    ) -> Result<Job, Problems> {
        load_file(Path::new(name), &self.environment(variables), flags)
    }
}

/// An option of a pair as `resolved.json` shows it: its value and its origin.
fn shown(job: &Job, pair: &str, path: &str) -> (String, String) {
    let setting = job.resolved.to_json();
    let setting = &setting["pairs"][pair]["settings"][path];
    let value = &setting["value"];
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let origin = setting["origin"].as_str().unwrap_or_default();
    (text, origin.to_owned())
}

const PHOTOS: &str = "[pairs.photos]\nsource = '/srv/photos'\ntarget = 's3://acme/photos/'\n";

#[test]
fn what_includes_wins_over_what_it_includes_and_later_over_earlier() {
    let folder = Folder::of(&[
        (
            "job.toml",
            &format!(
                "include = ['shared/a.toml', 'shared/b.toml']\n[defaults]\ntarget.profile = 'job'\n{PHOTOS}retry.aws_max_attempts = 9\n"
            ),
        ),
        (
            "shared/a.toml",
            "include = ['deep/c.toml']\n[report]\ndir = 'a'\n[defaults]\ntarget.region = 'a'\naws.config_file = 'aws'\nverify.etag = false\n",
        ),
        (
            "shared/b.toml",
            "[defaults]\ntarget.region = 'b'\ntarget.profile = 'b'\n[pairs.photos]\nperformance.worker_size = 3\nretry.aws_max_attempts = 3\n",
        ),
        (
            "shared/deep/c.toml",
            "[defaults]\nverify.etag = true\nverify.checksum = false\naws.shared_credentials_file = '../keys'\n[pairs.first]\nsource = 'here'\ntarget = 's3://acme/first/'\n",
        ),
    ]);
    let job = folder.load("job.toml").unwrap_or_else(|it| panic!("{it}"));
    let root = folder.0.path().canonicalize().expect("a folder");
    let root = root.display();
    // pairs in the order they are first named, included files first
    let names: Vec<&str> = job.pairs.iter().map(|pair| pair.name.as_str()).collect();
    assert_eq!(names, ["first", "photos"]);
    for (pair, path, value, origin) in [
        (
            "photos",
            "target.profile",
            "job",
            "job.toml:3:1 defaults.target.profile",
        ),
        (
            "photos",
            "target.region",
            "b",
            "shared/b.toml:2:1 defaults.target.region",
        ),
        (
            "photos",
            "verify.etag",
            "false",
            "shared/a.toml:7:1 defaults.verify.etag",
        ),
        (
            "photos",
            "verify.checksum",
            "false",
            "shared/deep/c.toml:3:1 defaults.verify.checksum",
        ),
        (
            "photos",
            "retry.aws_max_attempts",
            "9",
            "job.toml:7:1 pairs.photos.retry.aws_max_attempts",
        ),
        (
            "photos",
            "performance.worker_size",
            "3",
            "shared/b.toml:5:1 pairs.photos.performance.worker_size",
        ),
        (
            "first",
            "aws.config_file",
            &format!("{root}/shared/aws"),
            "shared/a.toml:6:1 defaults.aws.config_file",
        ),
        (
            "first",
            "aws.shared_credentials_file",
            &format!("{root}/shared/keys"),
            "shared/deep/c.toml:4:1 defaults.aws.shared_credentials_file",
        ),
        (
            "first",
            "source.url",
            &format!("{root}/shared/deep/here"),
            "shared/deep/c.toml:6:1 pairs.first.source.url",
        ),
    ] {
        assert_eq!(
            shown(&job, pair, path),
            (value.to_owned(), origin.to_owned()),
            "{pair} {path}"
        );
    }
    assert_eq!(job.report.dir, Path::new(&format!("{root}/shared/a")));
}

#[test]
fn a_file_that_several_include_stays_below_all_of_them() {
    let folder = Folder::of(&[
        (
            "job.toml",
            &format!("include = ['a.toml', './b.toml', 'common.toml']\n{PHOTOS}"),
        ),
        (
            "a.toml",
            "include = ['common.toml']\n[defaults]\ntarget.region = 'a'\n",
        ),
        (
            "b.toml",
            "include = ['x/../common.toml']\n[defaults]\ntarget.profile = 'b'\n",
        ),
        (
            "common.toml",
            "[defaults]\ntarget.region = 'common'\ntarget.profile = 'common'\nverify.etag = false\n",
        ),
        ("x/nothing", ""),
    ]);
    let job = folder.load("job.toml").unwrap_or_else(|it| panic!("{it}"));
    for (path, value) in [
        ("target.region", "a"),
        ("target.profile", "b"),
        ("verify.etag", "false"),
    ] {
        assert_eq!(shown(&job, "photos", path).0, value, "{path}");
    }
}

#[test]
fn many_files_that_include_each_other_twice_are_read_once() {
    let name = |number: usize| format!("{number}.toml");
    let mut files: Vec<(String, String)> = (0..40)
        .map(|number| {
            let next = name(number + 1);
            (name(number), format!("include = ['{next}', './{next}']\n"))
        })
        .collect();
    files.push((name(40), PHOTOS.to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
    let job = Folder::of(&files).load("0.toml");
    assert_eq!(job.unwrap_or_else(|it| panic!("{it}")).pairs.len(), 1);
}

#[test]
fn a_chain_of_files_has_an_end() {
    let files: Vec<(String, String)> = (0..200)
        .map(|number| {
            let next = format!("include = ['{}.toml']\n", number + 1);
            (format!("{number}.toml"), next)
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
    let problems = Folder::of(&files).load("0.toml").expect_err("too deep");
    assert_eq!(
        problems.to_string(),
        "error: more than 64 files include each other in a row\n --> 63.toml:1:12\n  |\n1 | include = ['64.toml']\n  |            ^^^^^^^^^ include fewer of them"
    );
}

#[test]
fn a_file_behind_a_link_is_shown_by_a_path_that_leads_there() {
    let folder = Folder::of(&[
        ("far/away/jobs/job.toml", "include = ['../common.toml']\n"),
        ("far/away/common.toml", "banana = 1\n"),
    ]);
    let link = folder.0.path().join("jobs");
    std::os::unix::fs::symlink("far/away/jobs", &link).expect("a link");
    let said = folder
        .load("jobs/job.toml")
        .expect_err("a banana")
        .to_string();
    assert!(said.contains("--> jobs/../common.toml:1:1"), "{said}");
    let said = folder
        .load("far/away/jobs/job.toml")
        .expect_err("a banana")
        .to_string();
    assert!(said.contains("--> far/away/common.toml:1:1"), "{said}");
}

#[test]
fn the_environments_text_and_standard_input_include_from_the_working_directory() {
    let folder = Folder::of(&[(
        "common.toml",
        "[defaults]\ntarget.region = 'eu-central-1'\n",
    )]);
    let text = "include = ['common.toml']\n[pairs.photos]\nsource = 'photos'\ntarget = 's3://acme/${s3sync.job}/'\n";
    let variables = [("S3SYNC_JOB_TOML", text)];
    let of_the_environment =
        from_environment(&folder.environment(&variables), &FlagValues::default());
    let input = folder.environment(&[]).standard_input(text);
    let of_input = load_file(Path::new("-"), &input, &FlagValues::default());
    for (job, name, file) in [
        (of_the_environment, "default", "S3SYNC_JOB_TOML"),
        (of_input, "stdin", "<stdin>"),
    ] {
        let job = job.unwrap_or_else(|it| panic!("{it}"));
        assert_eq!(job.name, name);
        assert_eq!(
            shown(&job, "photos", "target.region"),
            (
                "eu-central-1".to_owned(),
                "common.toml:2:1 defaults.target.region".to_owned()
            )
        );
        assert_eq!(
            shown(&job, "photos", "target.url"),
            (
                format!("s3://acme/{name}/"),
                format!("{file}:4:1 pairs.photos.target.url")
            )
        );
        let source = folder.0.path().join("photos").display().to_string();
        assert_eq!(shown(&job, "photos", "source.url").0, source);
    }
    // its copies share it
    let problems = load_file(Path::new("-"), &input.clone(), &FlagValues::default());
    assert_eq!(
        problems.expect_err("it is empty by now").to_string(),
        "error: standard input was read already\n  = `-` can stand for one job only"
    );
}

#[test]
fn what_is_no_job_file_is_refused_at_once() {
    let folder = Folder::of(&[("empty.toml", ""), ("mark.toml", "\u{feff}")]);
    let huge = 3 << 20;
    folder.write("huge.toml", &vec![b'#'; huge]);
    folder.write("zip.toml", b"PK\x03\x04\xff\xfe");
    let pipe = folder.0.path().join("pipe.toml");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).expect("a pipe");
    for (name, said) in [
        (
            "huge.toml",
            "error: cannot read the job file `huge.toml`: it is larger than 2MiB",
        ),
        (
            "pipe.toml",
            "error: cannot read the job file `pipe.toml`: it is a pipe, not a file\n  = a job file comes from standard input as `-`",
        ),
        (
            "/dev/zero",
            "error: cannot read the job file `/dev/zero`: it is a device, not a file",
        ),
        (
            "empty.toml/x.toml",
            "error: cannot read the job file `empty.toml/x.toml`: not a directory",
        ),
        (
            "empty.toml",
            "error: `empty.toml` has no pairs\n  = write [pairs.NAME] with a source and a target",
        ),
        (
            "mark.toml",
            "error: `mark.toml` has no pairs\n  = write [pairs.NAME] with a source and a target",
        ),
        (
            "zip.toml",
            "error: not UTF-8: byte 0xff at offset 4\n --> zip.toml:1:5\n  |\n1 | PK␃␄��\n  |     ^ save the file as UTF-8",
        ),
    ] {
        let problems = folder.load(name).expect_err(name);
        assert_eq!(problems.to_string(), said, "{name}");
    }
    let input = environment(&[]).standard_input(vec![b'#'; huge]);
    let problems = load_file(Path::new("-"), &input, &FlagValues::default()).expect_err("huge");
    assert_eq!(
        problems.to_string(),
        "error: cannot read the job file from standard input: it is larger than 2MiB"
    );
}

#[test]
fn files_together_are_bounded_too() {
    let folder = Folder::of(&[("job.toml", "include = ['a.toml', 'b.toml', 'c.toml']\n")]);
    for name in ["a.toml", "b.toml", "c.toml"] {
        folder.write(name, &vec![b'\n'; 800 << 10]);
    }
    let said = folder.load("job.toml").expect_err("too much").to_string();
    assert!(
        said.contains("cannot read the included file `c.toml`"),
        "{said}"
    );
    assert!(said.contains("together larger than 2MiB"), "{said}");
    assert!(said.contains("--> job.toml:1:32"), "{said}");
}

#[test]
fn a_hostile_text_is_told_in_a_bearable_time_and_length() {
    use std::fmt::Write as _;
    let many_keys = (0..50_000).fold(String::new(), |mut text, number| {
        writeln!(text, "key{number} = 1").expect("a string");
        text
    });
    let long = "x".repeat(1 << 20);
    for (name, text) in [
        ("deep arrays", format!("x = {}", "[".repeat(100_000))),
        (
            "deep arrays, closed",
            format!("x = {}{}", "[".repeat(50_000), "]".repeat(50_000)),
        ),
        ("deep tables", format!("x = {}", "{a = ".repeat(100_000))),
        ("a deep header", format!("[{}a]", "a.".repeat(100_000))),
        ("a deep key", format!("{}a = 1", "a.".repeat(100_000))),
        ("many keys", many_keys.clone()),
        ("many keys of a pair", format!("{PHOTOS}{many_keys}")),
        (
            "a line of many keys",
            format!("x = {{ {} a = 1 }}", many_keys.replace('\n', ", ")),
        ),
        ("a long key", format!("{long} = 1")),
        ("a long pair", format!("[pairs.{long}]")),
        ("a long value", format!("version = '{long}'")),
        ("a long reference", format!("[vars]\na = '${{{long}}}'")),
        (
            "many references",
            format!("[vars]\na = '{}'", "${X}".repeat(50_000)),
        ),
        (
            "open references",
            format!("[vars]\na = '{}'", "${X:-".repeat(50_000)),
        ),
        (
            "many variables",
            format!("[vars]\n{}", many_keys.replace("= 1", "= '${X}${vars.x}'")),
        ),
        (
            "many values",
            format!(
                "[defaults]\naws.config_file = '${{X}}'\n{}",
                (0..300).fold(String::new(), |text, number| text
                    + &format!("[pairs.p{number}]\nsource = '${{vars.x{number}}}'\n"))
            ),
        ),
        ("control characters", "\"\u{1b}[31m".repeat(10_000)),
    ] {
        let before = spent();
        let problems = job(&text, &environment(&[]), &FlagValues::default()).expect_err(name);
        let said = problems.to_string();
        let json = problems.to_json().to_string();
        assert!(said.len() < 200_000, "{name}: {} bytes", said.len());
        assert!(json.len() < 200_000, "{name}: {} bytes", json.len());
        assert!(!said.contains('\u{1b}'), "{name}");
        // minutes where something is squared; the build is not optimized
        let took = spent().saturating_sub(before);
        assert!(took.as_secs() < 20, "{name}: {took:?}");
    }
}

#[test]
fn a_secret_that_everybody_can_read_is_a_warning_told_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::of(&[
        (
            "job.toml",
            "[defaults]\nsource.access_key = { file = 'key' }\nsource.secret_access_key = { file = 'key' }
             [pairs.a]\nsource = 's3://b/'\ntarget = '/a'\n[pairs.b]\nsource = 's3://c/'\ntarget = '/b'\nsource.session_token = { file = 'key' }\n"
                .replace("source = 's3://c/'\ntarget = '/b'\nsource.", "source.url = 's3://c/'\ntarget = '/b'\nsource.").as_str(),
        ),
        ("key", "canary\n"),
    ]);
    let key = folder.0.path().join("key");
    for (mode, notes) in [(0o600, 0), (0o640, 0), (0o604, 1), (0o644, 1)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("set");
        let job = folder.load("job.toml").unwrap_or_else(|it| panic!("{it}"));
        let told = job.resolved.notes();
        assert_eq!(told.len(), notes, "{mode:o}: {told:?}");
    }
    let job = folder.load("job.toml").expect("a job");
    assert_eq!(
        job.resolved.notes()[0],
        "every user of this machine can read the secret in `key` (job.toml:2:1 defaults.source.access_key); chmod o-r it"
    );
    // where something else is wrong, the warnings are told after it, and do not count
    let mut flags = FlagValues::default();
    flags.set("performance.worker_size=0");
    let variables = [("S3SYNC_SOURCE__ACCESS_KEY_FILE", "key")];
    let problems = folder
        .load_with("job.toml", &variables, &flags)
        .expect_err("0 workers");
    assert_eq!(problems.len(), 1);
    let said = problems.to_string();
    assert_eq!(said.matches("warning: ").count(), 1, "{said}");
    assert!(said.starts_with("error: "), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn programs_are_told_the_same_problems() {
    let folder = Folder::of(&[(
        "job.toml",
        "[pairs.a]\nsource = 's3://acme/a'\ntarget = 's3://acme/a'\nperformance.worker_sise = 8\n",
    )]);
    let mut flags = FlagValues::default();
    flags.set("performance.worker_size=many");
    let variables = [("S3SYNC_PAIRS__B__DRY_RUN", "true")];
    let problems = folder
        .load_with("job.toml", &variables, &flags)
        .expect_err("much is wrong");
    let at = |line: u64, column: u64, path: &str| {
        serde_json::json!({
            "source": "file", "file": "job.toml", "line": line, "column": column, "path": path,
            "name": null,
        })
    };
    let elsewhere = |source: &str, name: &str| {
        serde_json::json!({
            "source": source, "file": null, "line": null, "column": null, "path": null,
            "name": name,
        })
    };
    let mut other = at(2, 10, "pairs.a.source.url");
    other["label"] = "the source".into();
    let problem = |mut place: serde_json::Value, message: &str, remedy: Option<&str>, other| {
        place["severity"] = "error".into();
        place["message"] = message.into();
        place["remedy"] = remedy.into();
        place["other"] = other;
        place
    };
    let null = serde_json::Value::Null;
    let wanted = serde_json::json!([
        problem(
            at(3, 10, "pairs.a.target.url"),
            "source and target of `a` are the same",
            Some("a prefix is every key that begins with it; choose another prefix or bucket"),
            other,
        ),
        problem(
            at(4, 13, "pairs.a.performance.worker_sise"),
            "unknown key `worker_sise`",
            Some("did you mean `worker_size`?"),
            null.clone(),
        ),
        problem(
            elsewhere("environment", "S3SYNC_PAIRS__B__DRY_RUN"),
            "no pair is called `b`",
            Some("did you mean `a`?"),
            null.clone(),
        ),
        problem(
            elsewhere("flag", "--set performance.worker_size"),
            "`performance.worker_size` must be a whole number from 1 to 65535, not `many`",
            None,
            null,
        ),
    ]);
    assert_eq!(problems.to_json(), wanted);
    let missing = folder.load("missing.toml").expect_err("no file").to_json();
    assert_eq!(missing[0]["file"], "missing.toml");
    assert_eq!(missing[0]["source"], "file");
}

#[test]
fn problems_have_an_order_and_an_end() {
    use std::fmt::Write as _;
    let mut text = String::from("include = ['b.toml', 'a.toml']\n");
    for number in 0..150 {
        writeln!(text, "key{number} = 1").expect("a string");
    }
    let folder = Folder::of(&[
        ("job.toml", &text),
        ("a.toml", "a = 1\n"),
        ("b.toml", "b = 1\n"),
    ]);
    let problems = folder.load("job.toml").expect_err("unknown keys");
    assert_eq!(problems.len(), 152);
    let said = problems.to_string();
    assert!(
        said.ends_with("error: 52 more problems are not shown\n  = mend these first"),
        "{said}"
    );
    assert_eq!(problems.to_json().as_array().expect("a list").len(), 101);

    folder.write("job.toml", b"include = ['b.toml', 'a.toml']\nkey = 1\n");
    let said = folder
        .load("job.toml")
        .expect_err("unknown keys")
        .to_string();
    let order: Vec<&str> = said.lines().filter(|line| line.contains("-->")).collect();
    assert_eq!(
        order,
        [" --> job.toml:2:1", " --> b.toml:1:1", " --> a.toml:1:1"]
    );
}
