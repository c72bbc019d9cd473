//! What the option table says of one option.

use super::grants::Grant;

/// One option: where it is said, what it takes, what it means. Clap's flags, the environment's
/// names, typing, suggestions and `resolved.json` are all made from these rows.
#[derive(Debug)]
pub struct OptionRow {
    /// Its place in a job file: below `[defaults]` and `[pairs.NAME]`, or at the top level.
    pub path: &'static str,
    /// Whether a pair or the whole job has it.
    pub scope: Scope,
    /// What it takes.
    pub kind: Kind,
    /// Its value when nobody says one, as it would be said.
    pub default: Option<&'static str>,
    /// The flags that say it.
    pub flags: &'static [Flag],
    /// Which pairs it has a meaning for.
    pub fits: Fits,
    /// The heading of its flags in `--help`.
    pub heading: &'static str,
    /// What it means, with its unit.
    pub help: &'static str,
    /// What values of it mean, where a flag says them and their words alone do not tell.
    pub meanings: &'static [(&'static str, &'static str)],
    /// What AWS has to allow for it.
    pub grants: &'static [Grant],
}

/// Who has an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole job: a table of the file's top level.
    Job,
    /// Each pair: `[defaults]` or `[pairs.NAME]`.
    Pair,
    /// Each pair, and a default for all would make no sense.
    PairOnly,
    /// Each of `[[hooks]]`.
    Hook,
    /// A job file as such; nothing else can say it.
    File,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// A number of bytes.
    Size {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// A span of time.
    Duration {
        /// The shortest, in milliseconds.
        min_millis: u64,
    },
    /// A point in time, RFC 3339.
    Time,
    /// Any text.
    Text,
    /// The value of an HTTP header: text without control characters.
    Header,
    /// Where a website redirects to: a path from its root, or a URL.
    Redirect,
    /// A name that can be a folder's.
    Name,
    /// A path, relative to where it is said.
    Path,
    /// A path or `s3://bucket[/prefix]`.
    Location,
    /// An http or https URL.
    Endpoint,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A text nobody may see.
    Secret,
    /// A secret key of 256 bits, in base64.
    SecretKey,
    /// Names of pairs.
    Pairs,
    /// Words, each one of these.
    Words(&'static [&'static str]),
    /// Regular expressions.
    Regexes,
    /// Patterns such as `**/*.jpg`.
    Globs,
    /// Job files to read first.
    Files,
    /// A program and its arguments.
    Program,
    /// User-defined metadata: a table of texts, or `k=v,…`.
    Metadata,
    /// Tags: a table of texts, or `k=v&…`, URL-encoded.
    Tags,
    /// A table of texts that `${vars.…}` names.
    Variables,
    /// `[[hooks]]`, each a table of the options below `hooks.`.
    Hooks,
}

impl Kind {
    /// Whether its values are kept out of everything that is written.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretKey)
    }

    /// Whether its values are tables of texts, which layers merge key by key.
    pub fn is_table(self) -> bool {
        matches!(self, Self::Metadata | Self::Tags | Self::Variables)
    }

    /// Whether its values are lists, which layers replace.
    pub fn is_list(self) -> bool {
        matches!(
            self,
            Self::Pairs
                | Self::Words(_)
                | Self::Regexes
                | Self::Globs
                | Self::Files
                | Self::Program
        )
    }
}

/// One flag of an option, and what it says.
#[derive(Debug, Clone, Copy)]
pub enum Flag {
    /// `--name VALUE`.
    Value(&'static str),
    /// `--name N`, in milliseconds.
    Millis(&'static str),
    /// `--name` alone says this value.
    Says(&'static str, &'static str),
    /// `--name VALUE` says this value here and `VALUE` for the option of this path.
    SaysWith(&'static str, &'static str, &'static str),
    /// `--name FILE`: the value is the content of the file.
    File(&'static str),
    /// `--name` or its letter, repeated: the n-th of these values.
    Repeated(&'static str, char, &'static [&'static str]),
}

impl Flag {
    /// The flag's name without its dashes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Value(name)
            | Self::Millis(name)
            | Self::Says(name, _)
            | Self::SaysWith(name, ..)
            | Self::File(name)
            | Self::Repeated(name, ..) => name,
        }
    }
}

/// Which pairs an option has a meaning for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    /// Every pair.
    Any,
    /// Those that read from S3.
    SourceS3,
    /// Those that write to S3.
    TargetS3,
    /// Those from S3 to S3.
    BothS3,
    /// Those that read a directory.
    SourceLocal,
}

impl Fits {
    /// Whether a pair with such sides is meant.
    pub fn holds(self, source_is_s3: bool, target_is_s3: bool) -> bool {
        match self {
            Self::Any => true,
            Self::SourceS3 => source_is_s3,
            Self::TargetS3 => target_is_s3,
            Self::BothS3 => source_is_s3 && target_is_s3,
            Self::SourceLocal => !source_is_s3,
        }
    }

    /// What the pair would have to be like.
    pub fn wants(self) -> &'static str {
        match self {
            Self::Any => "any pair",
            Self::SourceS3 => "a source on S3",
            Self::TargetS3 => "a target on S3",
            Self::BothS3 => "both sides on S3",
            Self::SourceLocal => "a local source",
        }
    }
}

impl OptionRow {
    /// The environment variable that says it for every pair.
    pub fn variable(&self) -> String {
        format!("S3SYNC_{}", self.path.replace('.', "__").to_uppercase())
    }

    /// Whether its values are kept out of everything that is written.
    pub fn is_secret(&self) -> bool {
        self.kind.is_secret()
    }

    /// What a value means, if that is told.
    pub fn meaning(&self, value: &str) -> Option<&'static str> {
        let told = self.meanings.iter().find(|(word, _)| *word == value);
        told.map(|(_, meaning)| *meaning)
    }

    const fn new(path: &'static str, scope: Scope, kind: Kind, help: &'static str) -> Self {
        Self {
            path,
            scope,
            kind,
            default: None,
            flags: &[],
            fits: Fits::Any,
            heading: "General",
            help,
            meanings: &[],
            grants: &[],
        }
    }

    /// An option of a pair.
    pub(super) const fn pair(path: &'static str, kind: Kind, help: &'static str) -> Self {
        Self::new(path, Scope::Pair, kind, help)
    }

    /// An option of the whole job.
    pub(super) const fn job(path: &'static str, kind: Kind, help: &'static str) -> Self {
        Self::new(path, Scope::Job, kind, help)
    }

    /// An option of each hook.
    pub(super) const fn hook(path: &'static str, kind: Kind, help: &'static str) -> Self {
        Self::new(path, Scope::Hook, kind, help)
    }

    /// Something only a job file says.
    pub(super) const fn file_only(mut self) -> Self {
        self.scope = Scope::File;
        self
    }

    /// Only for single pairs.
    pub(super) const fn pair_only(mut self) -> Self {
        self.scope = Scope::PairOnly;
        self
    }

    /// With a default.
    pub(super) const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    /// With flags.
    pub(super) const fn flags(mut self, flags: &'static [Flag]) -> Self {
        self.flags = flags;
        self
    }

    /// With what its values mean.
    pub(super) const fn meanings(
        mut self,
        meanings: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.meanings = meanings;
        self
    }

    /// With what AWS has to allow for it.
    pub(super) const fn grants(mut self, grants: &'static [Grant]) -> Self {
        self.grants = grants;
        self
    }

    /// Only for some pairs.
    pub(super) const fn fits(mut self, fits: Fits) -> Self {
        self.fits = fits;
        self
    }

    /// Under a heading.
    pub(super) const fn under(mut self, heading: &'static str) -> Self {
        self.heading = heading;
        self
    }
}
