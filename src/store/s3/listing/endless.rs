//! Whether a listing goes round in circles: a server that hands out the same tokens or the same
//! pages again and again would be listed for ever.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::page::RawPage;

/// So many pages without a key follow each other nowhere.
const MOST_EMPTY: u32 = 1000;

/// A page that comes so often more is not one that was repeated by chance.
const MOST_REPEATS: u32 = 64;

/// Remembers one token and one page, at ever greater distances (Brent's way to find a circle).
#[derive(Debug, Default)]
pub(super) struct Endless {
    pages: u64,
    /// The page number at which the remembered are replaced by newer ones.
    until: u64,
    token: Option<String>,
    keys: u64,
    repeats: u32,
    empty: u32,
}

impl Endless {
    /// Looks at the next page of a chain; what is wrong comes back in words.
    pub(super) fn take(&mut self, page: &RawPage) -> Result<(), &'static str> {
        let Some(token) = page.next_token.as_ref().filter(|_| page.truncated) else {
            return Ok(());
        };
        if self.token.as_ref() == Some(token) {
            return Err("the continuation tokens repeat: the listing would never end");
        }
        if page.rows.is_empty() && page.common_prefixes.is_empty() {
            self.empty += 1;
            if self.empty > MOST_EMPTY {
                return Err("page after page has no key: the listing would never end");
            }
        } else {
            self.empty = 0;
            let keys = fingerprint(page);
            if keys == self.keys {
                self.repeats += 1;
                if self.repeats > MOST_REPEATS {
                    return Err("the same page comes again and again: the listing would never end");
                }
            } else if self.pages >= self.until {
                (self.keys, self.repeats) = (keys, 0);
            }
        }
        if self.pages >= self.until {
            self.token = Some(token.clone());
            self.until = self.until * 2 + 1;
        }
        self.pages += 1;
        Ok(())
    }
}

fn fingerprint(page: &RawPage) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in &page.rows {
        row.key.hash(&mut hasher);
    }
    page.common_prefixes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::page::RawRow;
    use super::*;

    fn page(key: Option<u64>, token: u64) -> RawPage {
        RawPage {
            rows: key
                .iter()
                .map(|key| RawRow::bare(&key.to_string()))
                .collect(),
            truncated: true,
            next_token: Some(token.to_string()),
            ..RawPage::default()
        }
    }

    #[test]
    fn circles_are_found_and_nothing_else_is_one() {
        type Chain = fn(u64) -> RawPage;
        let chains: [(&str, Chain, Option<&str>); 7] = [
            ("new keys", |n| page(Some(n), n), None),
            ("one token", |n| page(Some(n), 7), Some("tokens repeat")),
            (
                "seven tokens behind a start",
                |n| page(Some(n), if n < 100 { 1000 + n } else { n % 7 }),
                Some("tokens repeat"),
            ),
            ("one page", |n| page(Some(1), n), Some("the same page")),
            (
                "five pages",
                |n| page(Some(n % 5), n),
                Some("the same page"),
            ),
            ("nothing", |n| page(None, n), Some("no key")),
            (
                "nothing now and then, and each page twice",
                |n| page((n % 9 != 0).then_some(n / 2), n),
                None,
            ),
        ];
        for (name, chain, wrong) in chains {
            let mut endless = Endless::default();
            let found = (0..20_000).find_map(|n| endless.take(&chain(n)).err());
            assert_eq!(found.is_some(), wrong.is_some(), "{name}: {found:?}");
            assert!(
                found
                    .unwrap_or_default()
                    .contains(wrong.unwrap_or_default()),
                "{name}: {found:?}"
            );
        }
    }
}
