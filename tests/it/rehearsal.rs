//! A rehearsal does what the run would do, between the same places.

use crate::support::case;
use crate::world::World;

#[test]
fn buckets_of_two_endpoints_are_two_buckets() {
    let old = "https://old.example.com";
    for (what, endpoint, to, said) in [
        (
            "another endpoint",
            "https://new.example.com:9000",
            "s3://data/x/",
            "`data` of https://new.example.com:9000 is called `data-new.example.com-9000`",
        ),
        (
            "the same endpoint in other words",
            "https://OLD.example.com:443/",
            "s3://data/y/",
            "",
        ),
    ] {
        case(format_args!("{what}"));
        let world = World::new();
        world.tree("tree").file("a", 10).file("b", 10);
        let job = world.job().text(&format!(
            "[sandbox]\ndir = 'rehearsal'\n\
             [pairs.up]\nsource = 'tree'\n\
             target = {{ url = 's3://data/x/', endpoint_url = '{old}' }}\n\
             [pairs.across]\n\
             source = {{ url = 's3://data/x/', endpoint_url = '{old}' }}\n\
             target = {{ url = '{to}', endpoint_url = '{endpoint}' }}\n"
        ));
        let ran = job.clone().run();
        ran.exit(0);
        let across = ran.pair("across");
        assert_eq!(
            across.number("/counts/transferred/total"),
            2,
            "{}",
            ran.told()
        );
        let is_said = ran.stderr.contains("in the sandbox the bucket");
        assert_eq!(is_said, !said.is_empty(), "{}", ran.told());
        ran.says(said);

        // one pair alone finds what all of them have left
        let again = job.arguments(&["--pair", "across"]).run();
        again.exit(0);
        let across = again.pair("across");
        assert_eq!(across.number("/counts/unchanged"), 2, "{}", again.told());
    }
}
