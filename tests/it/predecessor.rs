//! What only the built binary can show of the predecessor's ways; the rest is `src/cli/predecessor.rs`.

use crate::support::{case, run_unread};
use crate::world::World;

#[test]
fn completions_come_by_the_command_and_by_the_predecessors_flag() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        case(format_args!("{shell}"));
        let ran = world.command(&["completions", shell]).run();
        ran.exit(0).says("worker-size");
        for form in [
            &["--auto-complete-shell", shell][..],
            &["sync", "--auto-complete-shell", shell],
        ] {
            let same = world.command(form).run();
            same.exit(0);
            assert_eq!(same.stdout, ran.stdout);
        }
    }
    world
        .command(&["completions", "tcsh"])
        .run()
        .exit(2)
        .says("bash");
    world.command(&["completions"]).run().exit(2);
    world
        .command(&["--auto-complete-shell", "tcsh"])
        .run()
        .exit(2);
    world.command(&["man"]).run().exit(0).says(".SH COMMANDS");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for words in [
        &["completions", "bash"][..],
        &["--auto-complete-shell", "bash"],
        &["man"],
        &["--help"],
    ] {
        run_unread(words);
    }
}
