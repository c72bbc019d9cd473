//! Lists of keys that other people wrote: whatever is in them, each name is accounted for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::tests::Many;
use super::*;
use crate::chance::{damaged, holds};

/// What is put into a list that is damaged.
const WORDS: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\0",
    ",",
    "\"",
    "\"\"",
    "%",
    "%41",
    "%zz",
    "%ff",
    "+",
    "./",
    "/",
    "../",
    "\u{feff}",
    "b,",
    "\"b\",",
    "\"other\",\"k\"",
    "Bucket,Key",
    "p/",
    "\x1f\u{8b}",
    "PAR1",
    "{\"fileSchema\":",
    "\u{fffe}",
    "é",
    "💥",
];

/// What is asked, and what was said of the list as a whole.
async fn asked(bytes: &[u8], name: &str) -> Result<Vec<Page>, StoreError> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    let asking = Asking {
        keys: Keys::File { path, only: None },
        order: KeyOrder::Bytes,
        at_once: 4,
        warn: Arc::new(|_| {}),
    };
    list(Arc::new(Many::default()), asking).try_collect().await
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(work)
}

/// The keys it answers for, there or not, in the order of the answers of each kind.
fn keys(pages: &[Page]) -> BTreeSet<String> {
    let entries = pages.iter().flat_map(|page| &page.entries);
    let absent = pages.iter().flat_map(|page| &page.oddities);
    entries
        .map(|entry| entry.key.as_str().to_owned())
        .chain(absent.map(|oddity| oddity.name.clone()))
        .collect()
}

#[derive(Debug, Clone, Copy)]
enum Written {
    Lines,
    OfWindows,
    Nul,
    Inventory,
    Manifest,
}

fn written() -> impl Strategy<Value = Written> {
    prop::sample::select(vec![
        Written::Lines,
        Written::OfWindows,
        Written::Nul,
        Written::Inventory,
        Written::Manifest,
    ])
}

impl Written {
    fn list(self, keys: &[String], ends: bool) -> String {
        let encoded = |key: &str| {
            let key =
                percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
            key.to_string()
        };
        let (mut text, end) = (
            String::new(),
            match self {
                Self::OfWindows => "\r\n",
                Self::Nul => "\0",
                Self::Lines | Self::Inventory | Self::Manifest => "\n",
            },
        );
        for key in keys {
            let _ = match self {
                Self::Lines | Self::OfWindows | Self::Nul => write!(text, "{key}{end}"),
                Self::Inventory => write!(text, "\"b\",\"p%2F{}\",\"12\",\"x\"{end}", encoded(key)),
                Self::Manifest => write!(text, "b,p%2F{},v{end}", encoded(key)),
            };
        }
        // a NUL is what makes it a list of that kind
        if !ends && !matches!(self, Self::Nul) {
            text.truncate(text.len() - end.len());
        }
        text
    }

    /// Whether a key can be said so.
    fn can_say(self, key: &str) -> bool {
        match self {
            Self::Lines | Self::OfWindows => !key.contains(['\n', '\r', '\0']),
            Self::Nul => !key.contains('\0'),
            Self::Inventory | Self::Manifest => true,
        }
    }
}

#[test]
fn a_list_names_what_was_written_into_it_in_every_form() {
    let letter = prop_oneof![
        4 => prop::sample::select("ab7/.,-+%&\"' é\u{3000}💥\\".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    let key = prop::collection::vec(letter, 1..12).prop_map(String::from_iter);
    let list = prop::collection::vec(key, 1..20);
    holds(
        2,
        (written(), list, any::<bool>()),
        |(written, mut list, ends)| {
            list.retain(|key| written.can_say(key));
            // how it begins makes a file what it is
            list.insert(0, "a first one".to_owned());
            let text = written.list(&list, ends);
            let pages = run(asked(text.as_bytes(), "keys")).expect("a list");
            let expected: BTreeSet<String> = list.into_iter().collect();
            assert_eq!(keys(&pages), expected, "{text:?}");
            let entries: Vec<_> = pages.iter().flat_map(|page| &page.entries).collect();
            assert!(
                entries.is_sorted_by(|one, two| one.key < two.key),
                "each once, in order"
            );
            assert!(
                entries
                    .iter()
                    .all(|entry| !entry.key.as_str().ends_with('7'))
            );
            assert!(pages.iter().all(|page| page.failures.is_empty()));
        },
    );
}

/// A list that is damaged is refused with the file's name, or each of its lines is answered for.
#[test]
fn a_damaged_list_is_refused_or_every_line_of_it_is_answered_for() {
    let list = ["a first one", "b/c", "b/c", "é,1", "d 7", "./x", "p/q"].map(str::to_owned);
    let whole = [
        Written::Lines,
        Written::OfWindows,
        Written::Nul,
        Written::Inventory,
        Written::Manifest,
    ]
    .map(|written| written.list(&list, true).into_bytes());
    let name = prop::sample::select(vec!["keys", "keys.csv", "keys.txt"]);
    holds(
        1,
        (damaged(whole.to_vec(), WORDS), name),
        |(bytes, name)| {
            let pages = match run(asked(&bytes, name)) {
                Ok(pages) => pages,
                Err(error) => {
                    let told = error.to_string();
                    assert!(told.contains(name) && error.kind.is_fatal(), "{told}");
                    return;
                }
            };
            let answered = keys(&pages).len();
            let separators = [b'\n', 0].map(|one| bytes.split(|byte| *byte == one).count());
            assert!(
                answered <= separators[0].max(separators[1]),
                "{answered} of {bytes:?}"
            );
            if name == "keys.csv" || bytes.contains(&0) || bytes.starts_with(b"\"") {
                return;
            }
            // of plain lines none is passed over
            let text = String::from_utf8_lossy(&bytes);
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            // a CR belongs to the lines' ends where the first line ends so
            let has_ends = text
                .split_once('\n')
                .is_some_and(|(first, _)| first.ends_with('\r'));
            let has_answer = text.split('\n').any(|line| {
                let rest = line.strip_suffix('\r').filter(|_| has_ends);
                !rest.unwrap_or(line).is_empty()
            });
            assert_eq!(answered > 0, has_answer, "{text:?}");
        },
    );
}

#[test]
fn any_bytes_at_all_are_a_list_or_none() {
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    holds(1, bytes, |bytes| drop(run(asked(&bytes, "keys"))));
    holds(1, ".{0,80}", |row: String| drop(csv::row(&row)));
}
