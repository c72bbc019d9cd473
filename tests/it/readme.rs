//! What texts for people show of the code, and may not fall behind it.

use std::fs;
use std::path::Path;

use s3sync::config;

const BEGIN: &str = "<!-- permissions: from the option table -->\n";
const END: &str = "<!-- end of permissions -->\n";

#[test]
fn the_table_of_permissions_is_the_option_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the beginning of the table");
    let (table, behind) = rest.split_once(END).expect("its end");
    let wanted = config::permissions();
    if std::env::var_os("S3SYNC_TEST_BLESS").is_some() {
        let blessed = format!("{before}{BEGIN}{wanted}{END}{behind}");
        fs::write(&path, blessed).expect("the page written");
        return;
    }
    assert_eq!(table, wanted, "bless it with S3SYNC_TEST_BLESS=1");
}

#[test]
fn what_an_option_needs_is_said_of_the_sides_it_has_a_meaning_for() {
    for row in config::OPTIONS {
        for grant in row.grants {
            let (source, target) = (!grant.source.is_empty(), !grant.target.is_empty());
            assert!(source || target, "{}: a grant of nothing", row.path);
            for action in grant.source.iter().chain(grant.target) {
                let (service, name) = action.split_once(':').expect("service:Action");
                assert!(["s3", "s3express", "kms"].contains(&service), "{action}");
                assert!(name.starts_with(char::is_uppercase), "{action}");
            }
        }
    }
}
