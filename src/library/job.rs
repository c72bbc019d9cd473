//! A job that is right.

#[cfg(feature = "cli")]
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::JobBuilder;
use super::builder::Way;
use crate::config;

/// A job that is right and ready to run: pairs of a source and a target, with every setting
/// decided.
///
/// It is said in one of the ways below, each of which gives a [`JobBuilder`]. The options are the
/// same everywhere: [`options`](crate::options) has all of them.
#[derive(Debug, Clone)]
pub struct Job {
    pub(super) config: config::Job,
}

impl Job {
    /// One pair, called `adhoc`, of a directory or file and an S3 URL, in either order, or of two
    /// S3 URLs.
    ///
    /// ```no_run
    /// # fn f() -> Result<(), s3sync::Problems> {
    /// let job = s3sync::Job::pair("photos/", "s3://acme-backup/photos/")
    ///     .set("filter.larger_size", "1MiB")
    ///     .set("performance.worker_size", 32)
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn pair(source: impl AsRef<Path>, target: impl AsRef<Path>) -> JobBuilder {
        let [source, target] = [source.as_ref(), target.as_ref()].map(Path::to_path_buf);
        JobBuilder::of(Way::Pair(source, target))
    }

    /// A job file (TOML), and what it includes. Relative paths in it begin at its directory; `-` is
    /// standard input.
    pub fn from_file(path: impl Into<PathBuf>) -> JobBuilder {
        JobBuilder::of(Way::File(path.into()))
    }

    /// The text of a job file, which problems call `<toml>`. Relative paths in it begin at the
    /// working directory, or at [`JobBuilder::directory`].
    ///
    /// ```
    /// let wrong = r#"
    ///     version = 1
    ///     [pairs.photos]
    ///     source = "/srv/photos/"
    ///     target = "s3://acme-backup/photos/"
    ///     performance.worker_siz = 32
    /// "#;
    /// let problems = s3sync::Job::from_toml(wrong).build().unwrap_err();
    /// let text = problems.to_string();
    /// assert!(text.starts_with("error: unknown key `worker_siz`\n --> <toml>:6:"));
    /// assert!(text.ends_with("did you mean `worker_size`?"));
    /// ```
    pub fn from_toml(text: impl Into<String>) -> JobBuilder {
        JobBuilder::of(Way::Toml(text.into()))
    }

    /// The arguments of the command line, without the name of the program: `SOURCE`, `TARGET` and
    /// flags in any order.
    ///
    /// ```
    /// # fn main() -> Result<(), s3sync::Problems> {
    /// let words = ["photos/", "s3://acme-backup/photos/", "--worker-size", "8"];
    /// let job = s3sync::Job::from_args(words).build()?;
    /// assert_eq!(job.pairs().collect::<Vec<_>>(), ["adhoc"]);
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "cli")]
    pub fn from_args(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> JobBuilder {
        let arguments = arguments.into_iter().map(Into::into).collect();
        JobBuilder::of(Way::Arguments(arguments))
    }

    /// What the environment says: the file `S3SYNC_JOB_FILE`, else the text `S3SYNC_JOB_TOML`, else
    /// the pair of `S3SYNC_SOURCE` and `S3SYNC_TARGET` and any of `S3SYNC_PAIRS__<NAME>__SOURCE`
    /// and `…__TARGET`; and every other option that an `S3SYNC_…` says.
    pub fn from_environment() -> JobBuilder {
        JobBuilder::of(Way::Environment).heed_environment()
    }

    /// Its name: the stem of its file, `adhoc` for one pair, or what `job.name` says. Its reports
    /// are in the directory of this name below `report.dir`.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The names of its pairs, in the order they are named.
    pub fn pairs(&self) -> impl Iterator<Item = &str> {
        self.config.pairs.iter().map(|pair| pair.name.as_str())
    }

    /// SHA-256 over its settings, in hexadecimal, without secrets and without who said them: jobs of
    /// one digest do the same. Reports have it too.
    pub fn digest(&self) -> &str {
        &self.config.digest
    }

    /// Whether it only decides what it would do.
    pub fn is_dry_run(&self) -> bool {
        self.config.dry_run
    }

    /// What is not wrong with it and should be known, each in a line. A run logs it.
    pub fn notes(&self) -> &[String] {
        self.config.resolved.notes()
    }
}
