//! Random programs, most of them hostile: none may bring the process down or keep it.

use std::fmt::Write as _;

use super::tests::{script, settings};
use super::*;
use crate::config::Libraries;

/// Things to compute with; `N` is a number, `E` another expression, `B` a block, `V` a variable.
const EXPRESSIONS: [&str; 44] = [
    "N",
    "N",
    "'x'",
    "V",
    "V",
    "V",
    "nil",
    "true",
    "{}",
    "{E, E, a = E}",
    "(E)(E)",
    "E + E",
    "E .. E",
    "E // E",
    "E % E",
    "E < E",
    "#E",
    "not E",
    "E[E]",
    "V.a",
    "function(...) B end",
    "function(a, b) return E end",
    "pcall(E, E)",
    "select(2, pcall(error, E))",
    "xpcall(E, E, E)",
    "coroutine.create(E)",
    "coroutine.wrap(E)",
    "coroutine.resume(E, E)",
    "coroutine.close(E)",
    "coroutine.running()",
    "setmetatable({}, {__index = E, __call = E, __close = E})",
    "setmetatable({}, {__gc = function() local x = E end, __mode = 'kv'})",
    "setmetatable({}, {__tostring = E, __eq = E, __lt = E, __concat = E, __len = E})",
    "getmetatable(E)",
    "string.rep(E, N)",
    "string.gsub('abc', '.', E)",
    "string.format('%s %d %q', E, N, E)",
    "string.dump(E)",
    "load(E)",
    "load(string.dump(E))",
    "table.concat({E, E})",
    "tostring(E)",
    "table.unpack({E, E}, 1, N)",
    "table.sort({E, E, E}, E)",
];

const STATEMENTS: [&str; 20] = [
    "V = E",
    "V = E",
    "local V = E",
    "V.a = E",
    "V[E] = E",
    "if E then B else B end",
    "for i = 1, N do B end",
    "while E do B end",
    "while true do B end",
    "repeat B until E",
    "do local c <close> = E B end",
    "pcall(function() B end)",
    "coroutine.wrap(function() B coroutine.yield(E) B end)()",
    "collectgarbage(E)",
    "collectgarbage('step', N)",
    "print(E)",
    "warn(E)",
    "log.warn(E)",
    "error(E)",
    "goto continue ::continue::",
];

struct Writer(fastrand::Rng);

impl Writer {
    fn fill(&mut self, template: &str, depth: usize, to: &mut String) {
        for letter in template.split_inclusive(|it: char| !it.is_alphanumeric() && it != '_') {
            let (word, end) = match letter.char_indices().last() {
                Some((at, last)) if !last.is_alphanumeric() && last != '_' => letter.split_at(at),
                _ => (letter, ""),
            };
            match word {
                "N" => {
                    let numbers = [
                        "0", "1", "3", "-1", "1e9", "1 << 62", "0/0", "1/0", "100000",
                    ];
                    to.push_str(numbers[self.0.usize(..numbers.len())]);
                }
                "V" => to.push_str(["a", "b", "f", "g", "string"][self.0.usize(..5)]),
                "E" => self.expression(depth.saturating_sub(1), to),
                "B" => self.block(depth.saturating_sub(1), to),
                other => to.push_str(other),
            }
            to.push_str(end);
        }
    }

    fn expression(&mut self, depth: usize, to: &mut String) {
        let most = if depth == 0 { 9 } else { EXPRESSIONS.len() };
        let template = EXPRESSIONS[self.0.usize(..most)];
        to.push('(');
        self.fill(template, depth, to);
        to.push(')');
    }

    fn block(&mut self, depth: usize, to: &mut String) {
        if depth == 0 {
            return;
        }
        for _ in 0..self.0.usize(1..4) {
            let template = STATEMENTS[self.0.usize(..STATEMENTS.len())];
            to.push_str("do ");
            self.fill(template, depth, to);
            to.push_str(" end ");
        }
    }

    fn program(&mut self) -> String {
        let mut text = String::new();
        self.block(3, &mut text);
        let mut body = String::new();
        self.block(4, &mut body);
        _ = write!(text, "\nfunction f() {body} end");
        text
    }
}

/// So many programs at least, however slow the machine: among fewer there may be none that ends well.
const LEAST: u64 = 200;

/// For `S3SYNC_TEST_FUZZ_SECONDS`, two and the same programs every time where nobody
/// says it. A number given as `S3SYNC_TEST_FUZZ_SEED` brings programs back.
#[tokio::test]
async fn random_programs_neither_crash_nor_stay() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let asked = number("S3SYNC_TEST_FUZZ_SECONDS");
    let seconds = asked.unwrap_or(2);
    let chosen = || asked.map_or(0, |_| fastrand::u64(..));
    let seed = number("S3SYNC_TEST_FUZZ_SEED").unwrap_or_else(chosen);
    let mut writer = Writer(fastrand::Rng::with_seed(seed));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut count, mut loaded, mut ended_well) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end || count < LEAST {
        let text = writer.program();
        let settings = LuaSettings {
            timeout: Some(Duration::from_millis(20)),
            memory_limit: 4 << 20,
            libraries: Libraries::Safe,
            ..settings()
        };
        count += 1;
        let begun = Instant::now();
        if let Ok(vm) = Vm::start(&script(&text), &settings) {
            loaded += 1;
            for _ in 0..2 {
                let called = vm.run(|interpreter| {
                    interpreter.begin();
                    let function = interpreter.function("f")?;
                    let value = function.call::<mlua::Value>(());
                    value.map(drop).map_err(|error| interpreter.told(&error))
                });
                match called.await.flatten() {
                    Ok(()) => ended_well += 1,
                    Err(error) => assert!(!error.message.contains('\n'), "{error}\n{text}"),
                }
            }
        }
        let took = begun.elapsed();
        assert!(
            took < Duration::from_secs(30),
            "seed {seed}: {took:?}\n{text}"
        );
    }
    assert!(
        loaded * 20 > count,
        "seed {seed}: of {count} programs {loaded} load"
    );
    assert!(
        ended_well > 0,
        "seed {seed}: {loaded} programs, and none ends well"
    );
}
