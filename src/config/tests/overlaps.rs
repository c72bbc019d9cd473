//! Pairs that lie in each other's way: in what they write, in what they delete, and in what they
//! read. Two targets that overlap are with the jobs of [many](super::many) pairs.

use super::*;

/// What is wrong with a job of this text.
fn wrong(text: &str) -> String {
    let settings = settings(text, &environment(&[]), &FlagValues::default());
    settings
        .problems()
        .map_or_else(String::new, |problems| problems.to_string())
}

/// Statement 54: a source inside its target, or the other way round, is refused at validation
#[test]
fn n54_no_side_lies_in_the_other() {
    for (source, target, trouble) in [
        ("s3://b/x/", "s3://b/x/", "are the same"),
        ("s3://b/x/y/", "s3://b/x/", "the target contains the source"),
        ("s3://b/x/", "s3://b/x/y/", "the source contains the target"),
        ("s3://b/x", "s3://b/xy/", "the source contains the target"),
        ("s3://b/", "s3://b/y/", "the source contains the target"),
        ("s3://b/x/", "s3://b/y/", ""),
        ("s3://b/x/", "s3://c/x/", ""),
        ("/b/x", "s3://b/x/", ""),
    ] {
        for delete in [false, true] {
            let text =
                format!("[pairs.a]\nsource = '{source}'\ntarget = '{target}'\ndelete = {delete}\n");
            let said = wrong(&text);
            let is_right = said.contains(trouble) && said.is_empty() == trouble.is_empty();
            assert!(is_right, "{text}\n{said}");
        }
    }
}

#[test]
fn an_endpoint_of_aws_is_no_other_place_than_none() {
    for (endpoint, is_same) in [
        ("https://s3.amazonaws.com", true),
        ("https://s3.eu-west-1.amazonaws.com", true),
        ("https://S3.eu-west-1.amazonaws.com:443/", true),
        ("https://s3-fips.us-east-1.amazonaws.com", true),
        ("https://s3.dualstack.eu-west-1.amazonaws.com", true),
        ("https://s3.cn-north-1.amazonaws.com.cn", true),
        (
            "https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com",
            true,
        ),
        ("https://storage.example.com", false),
        ("https://s3.example.com", false),
        ("https://s3.amazonaws.com.example.com", false),
        ("https://sqs.eu-west-1.amazonaws.com", false),
    ] {
        let text = format!(
            "[pairs.a]\nsource = 's3://b/x/'\ntarget = {{ url = 's3://b/x/', endpoint_url = '{endpoint}' }}\n"
        );
        let said = wrong(&text);
        assert_eq!(said.contains("are the same"), is_same, "{endpoint}: {said}");
    }
}

const CIRCLE: &str = "is deleted before it is copied";
const NO_ORDER: &str = "nothing says which of them comes first";

/// Statement 54: a pair that deletes where another reads is refused unless it is said which of them
/// comes first; and where each reads what the other writes, the one that deletes has to be the last
#[test]
fn n54_who_deletes_where_another_reads_says_when() {
    let mirror = "source = '/data'\ntarget = 's3://b/'\ndelete = true\n";
    let after_other = "after = ['other']\n";
    let after_mirror = "after = ['mirror']\n";
    for (mirror, other, parallel, trouble) in [
        // a chain: what was mirrored goes on as a whole
        (mirror, "source = 's3://b/'\ntarget = 's3://c/'\n", 1, ""),
        (
            mirror,
            "source = 's3://b/'\ntarget = 's3://c/'\ndelete = true\n",
            1,
            "",
        ),
        (
            mirror,
            "source = 's3://b/'\ntarget = 's3://c/'\n",
            2,
            NO_ORDER,
        ),
        (
            mirror,
            &format!("source = 's3://b/'\ntarget = 's3://c/'\n{after_mirror}"),
            2,
            "",
        ),
        // a part may be what others write there
        (
            mirror,
            "source = 's3://b/in/'\ntarget = '/in'\n",
            1,
            NO_ORDER,
        ),
        (
            mirror,
            &format!("source = 's3://b/in/'\ntarget = '/in'\n{after_mirror}"),
            1,
            "",
        ),
        (
            &format!("{mirror}{after_other}"),
            "source = 's3://b/in/'\ntarget = '/in'\n",
            1,
            "",
        ),
        // more than what is deleted
        (
            "source = '/data'\ntarget = 's3://b/x/'\ndelete = true\n",
            "source = 's3://b/'\ntarget = 's3://c/'\n",
            1,
            "",
        ),
        // there and back
        (
            mirror,
            "source = 's3://b/in/'\ntarget = '/data/in'\n",
            1,
            CIRCLE,
        ),
        (mirror, "source = 's3://b/'\ntarget = '/data'\n", 1, CIRCLE),
        (
            mirror,
            &format!("source = 's3://b/in/'\ntarget = '/data/in'\n{after_mirror}"),
            1,
            CIRCLE,
        ),
        (
            &format!("{mirror}{after_other}"),
            "source = 's3://b/in/'\ntarget = '/data/in'\n",
            2,
            "",
        ),
        // without deletion there is nothing to lose
        (
            "source = '/data'\ntarget = 's3://b/'\n",
            "source = 's3://b/in/'\ntarget = '/data/in'\n",
            2,
            "",
        ),
        // elsewhere
        (mirror, "source = 's3://c/in/'\ntarget = '/in'\n", 2, ""),
        (
            mirror,
            "target = '/in'\nsource = { url = 's3://b/in/', endpoint_url = 'https://x.example.com' }\n",
            2,
            "",
        ),
    ] {
        for turned in [false, true] {
            let (first, second) = (
                format!("[pairs.mirror]\n{mirror}"),
                format!("[pairs.other]\n{other}"),
            );
            let pairs = if turned {
                second + &first
            } else {
                first + &second
            };
            let text = format!("[job]\nmax_parallel_pairs = {parallel}\n{pairs}");
            let said = wrong(&text);
            let is_right = said.contains(trouble) && said.is_empty() == trouble.is_empty();
            assert!(is_right, "{text}\n{said}");
        }
    }
}

/// Longer ways around say as much as short ones.
#[test]
fn an_order_may_be_said_through_others() {
    let text = "[pairs.mirror]\nsource = '/data'\ntarget = 's3://b/'\ndelete = true\nafter = ['between']\n\
        [pairs.between]\nsource = '/x'\ntarget = 's3://d/'\nafter = ['other']\n\
        [pairs.other]\nsource = 's3://b/in/'\ntarget = '/data/in'\n";
    assert_eq!(wrong(text), "");
    let said = wrong(&text.replace("after = ['other']\n", ""));
    assert!(said.contains(CIRCLE), "{said}");
}

#[test]
fn nobody_deletes_among_our_own_files() {
    for (target, trouble) in [
        ("/state", "where the job keeps its reports"),
        ("/state/default", "where the job keeps its reports"),
        ("/state/default/latest", "where the job keeps its reports"),
        ("/sandbox", "where the job keeps its sandbox"),
        ("/sandbox/bucket", "where the job keeps its sandbox"),
        // they are not listed there
        ("/", ""),
        ("/state/elsewhere", ""),
        ("/other", ""),
    ] {
        for delete in [false, true] {
            let text = format!(
                "report.dir = '/state'\nsandbox.dir = '/sandbox'\njob.name = 'default'\n\
                 [pairs.a]\nsource = 's3://b/'\ntarget = '{target}'\ndelete = {delete}\n"
            );
            let said = wrong(&text);
            let is_found = delete && !trouble.is_empty();
            assert_eq!(said.contains("the job keeps"), is_found, "{text}\n{said}");
            assert!(!is_found || said.contains(trouble), "{text}\n{said}");
        }
    }
}

#[test]
fn how_long_to_wait_is_for_those_who_wait() {
    use std::time::Duration;
    let pair = "[pairs.a]\nsource = '/a'\ntarget = 's3://b/'\n";
    for (lock, expected) in [
        ("", Ok(OnConflict::Fail)),
        ("on_conflict = 'fail'\nwait = '0s'", Ok(OnConflict::Fail)),
        ("on_conflict = 'skip'", Ok(OnConflict::Skip)),
        ("on_conflict = 'wait'", Ok(OnConflict::Wait(None))),
        (
            "on_conflict = 'wait'\nwait = '0s'",
            Ok(OnConflict::Wait(None)),
        ),
        (
            "on_conflict = 'wait'\nwait = '10m'",
            Ok(OnConflict::Wait(Some(Duration::from_mins(10)))),
        ),
        (
            "wait = '10m'",
            Err("`lock.wait`, and `lock.on_conflict` is \"fail\""),
        ),
        ("on_conflict = 'skip'\nwait = '1s'", Err("is \"skip\"")),
    ] {
        let text = format!("[lock]\n{lock}\n{pair}");
        let seen = job(&text, &environment(&[]), &FlagValues::default());
        match (seen, expected) {
            (Ok(job), Ok(expected)) => assert_eq!(job.lock, expected, "{text}"),
            (Err(problems), Err(words)) => {
                let said = problems.to_string();
                assert!(said.contains(words), "{text}\n{said}");
            }
            (seen, _) => panic!("{text}\n{seen:?}"),
        }
    }
}
