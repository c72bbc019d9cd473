use std::path::PathBuf;
use std::sync::OnceLock;

use super::*;
use crate::config::{Libraries, Said};
use crate::lua::Place;

/// A script that is nothing but this text.
pub(super) fn script(text: &str) -> Script {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("s.lua");
    std::fs::write(&path, text).expect("a file");
    let said = Said {
        path: "lua.check",
        value: path,
        origin: "test".to_owned(),
    };
    let run_id = Arc::new(OnceLock::new());
    _ = run_id.set("run".to_owned());
    let place = Place {
        pair: "pair".to_owned(),
        run_id,
    };
    Script::read(&said).expect("a script").at(&Arc::new(place))
}

pub(super) fn settings() -> LuaSettings {
    LuaSettings {
        vms: 1,
        memory_limit: 64 << 20,
        timeout: Some(Duration::from_millis(100)),
        ..LuaSettings::default()
    }
}

/// What calling the global function `f` gives, in words.
async fn call(vm: &Vm) -> Result<String, String> {
    let answer = vm.run(|interpreter| {
        let function = interpreter.function("f")?;
        interpreter.call(|| function.call::<mlua::Value>(())?.to_string())
    });
    answer.await.flatten().map_err(|error| error.message)
}

async fn result(text: &str, settings: &LuaSettings) -> Result<String, String> {
    match Vm::start(&script(text), settings) {
        Ok(vm) => call(&vm).await,
        Err(error) => Err(format!("load: {}", error.message)),
    }
}

#[tokio::test]
async fn what_a_script_may_not_do_ends_with_an_error_that_names_its_line() {
    let mut wrong = Vec::new();
    let deep = "local function g(n) return 1 + g(n + 1) end\nfunction f() return g(1) end";
    for (name, text, expected) in [
        (
            "a loop",
            "function f()\n while true do end end",
            "s.lua:2: it took longer than 100ms (lua.callback_timeout)",
        ),
        (
            "a loop at the top",
            "\nwhile true do end",
            "load: s.lua:2: it took longer than 100ms",
        ),
        (
            "a loop in a coroutine",
            "function f()\n local c = coroutine.wrap(function()\n while true do end end)\n c() end",
            "s.lua:3: it took longer",
        ),
        (
            "a loop of coroutines",
            "function f() while true do coroutine.resume(coroutine.create(function() while true do end end)) end end",
            "it took longer",
        ),
        (
            "a loop that catches",
            "function f() while true do pcall(function() while true do end end) end end",
            "it took longer",
        ),
        (
            "a loop that catches with a handler",
            "function f() while true do xpcall(function() while true do end end, function() while true do end end) end end",
            "it took longer",
        ),
        (
            "a loop that closes",
            "function f() local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end end",
            "it took longer",
        ),
        (
            "a loop in a comparison",
            "function f() return setmetatable({}, {__lt = function() while true do end end}) < 1 end",
            "it took longer",
        ),
        (
            "a loop of a sort",
            "function f() table.sort({3, 2, 1}, function() while true do end end) end",
            "it took longer",
        ),
        (
            "a loop of a substitution",
            "function f() return (('x'):rep(9):gsub('x', function() while true do end end)) end",
            "it took longer",
        ),
        (
            "ten gibibytes",
            "function f() return string.rep('x', 10 << 30) end",
            "s.lua:1: resulting string too large",
        ),
        (
            "one gibibyte",
            "function f() return string.rep('x', 1 << 30) end",
            "s.lua: not enough memory (lua.vm_memory_limit)",
        ),
        (
            "a table without end",
            "function f() local t = {} while true do t[#t + 1] = ('x'):rep(100) .. #t end end",
            "not enough memory (lua.vm_memory_limit)",
        ),
        (
            "a string without end",
            "local s = 'x' while true do s = s .. s end",
            "load: s.lua: not enough memory",
        ),
        ("recursion", deep, "s.lua:1: stack overflow"),
        (
            "recursion through C",
            "function f() return string.gsub('a', 'a', f) end",
            "stack overflow",
        ),
        (
            "an error",
            "function f()\n\n error('no') end",
            "s.lua:3: no",
        ),
        (
            "an error of nothing",
            "function f() error() end",
            "s.lua:1: nil",
        ),
        (
            "an error that is a table",
            "function f() error({code = 1}) end",
            "s.lua:1: table: 0x",
        ),
        (
            "an error that tells itself",
            "function f() error(setmetatable({}, {__tostring = function() return 'told' end})) end",
            "s.lua:1: told",
        ),
        (
            "an error that does not end to tell itself",
            "function f() error(setmetatable({}, {__tostring = function() while true do end end})) end",
            "it took longer",
        ),
        (
            "a mistake in the grammar",
            "function f(\n",
            "load: s.lua:2: <name> or '...' expected",
        ),
        (
            "os",
            "function f() return os.execute('true') end",
            "s.lua:1: attempt to index a nil value (global 'os')",
        ),
        (
            "io",
            "function f() return io.open('/etc/passwd') end",
            "(global 'io')",
        ),
        (
            "debug",
            "function f() return debug.getregistry() end",
            "(global 'debug')",
        ),
        (
            "a C module",
            "function f() return require('cjson') end",
            "module 'cjson' not found",
        ),
        (
            "a library of C",
            "function f() return package.loadlib('x.so', 'f') end",
            "s.lua:1: ",
        ),
        (
            "bytecode",
            "function f() return load(string.dump(function() end))() end",
            "s.lua:1: attempt to call a nil value",
        ),
        (
            "bytecode, asked for",
            "function f() return load(string.dump(function() end), 'x', 'b')() end",
            "attempt to call a nil value",
        ),
        (
            "standard input",
            "function f() local x = dofile() return x end",
            "s.lua:1: a path is needed",
        ),
        (
            "a finalizer",
            "function f() setmetatable({}, {__gc = function() while true do end end}) collectgarbage() end",
            "s.lua:1: __gc is not for scripts",
        ),
        (
            "an answer that comes too late",
            "function f()
               local c = coroutine.create(function()
                 local x <close> = setmetatable({}, {__close = function() while true do end end})
                 coroutine.yield()
               end)
               coroutine.resume(c)
               return coroutine.close(c)
             end",
            "it took longer than 100ms",
        ),
        (
            "a file elsewhere",
            "function f() return assert(loadfile('/etc/passwd')) end",
            "cannot read /etc/passwd: a script reads only below its own directory",
        ),
        (
            "a device",
            "function f() dofile('/dev/zero') end",
            "cannot read /dev/zero: a script reads only",
        ),
        (
            "a search elsewhere",
            "function f() return assert(package.searchpath('passwd', '/etc/?')) end",
            "cannot read /etc/passwd: a script reads only",
        ),
        (
            "a module elsewhere",
            "package.path = '/etc/?;../?' function f() return require('passwd') end",
            "module 'passwd' not found",
        ),
        (
            "no such function",
            "function g() end",
            "s.lua: it has no function `f`",
        ),
    ] {
        // what is not about time has enough of it, also where many tests run beside each other
        let seconds = if expected.contains("longer") {
            None
        } else {
            Some(600)
        };
        let settings = LuaSettings {
            timeout: seconds.map(Duration::from_secs).or(settings().timeout),
            ..settings()
        };
        match result(text, &settings).await {
            Err(error) if error.contains(expected) && !error.contains('\n') => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_a_script_may_do_works() {
    for (name, text, expected) in [
        (
            "its libraries",
            "function f() return string.format('%s %d', utf8.char(228), math.tointeger(3.0)) .. table.concat({1, 2}) end",
            "ä 312",
        ),
        (
            "text as code",
            "function f() return load('return ...', 'x', 't', {})(7) end",
            "7",
        ),
        (
            "with surroundings",
            "x = 1 function f() return load('return x', 'x', 't', {x = 2})() end",
            "2",
        ),
        (
            "with its own",
            "x = 1 function f() return load('return x')() end",
            "1",
        ),
        (
            "pcall",
            "function f() return select(2, pcall(error, 'caught')) end",
            "caught",
        ),
        (
            "coroutines",
            "function f() local c = coroutine.wrap(function() coroutine.yield(1) return 2 end) return c() + c() end",
            "3",
        ),
        (
            "what it said before",
            "n = 41 function f() n = n + 1 return n end",
            "42",
        ),
        (
            "print",
            "function f() print('a', nil, {}) log.info('b') log.warn() return 'said' end",
            "said",
        ),
        (
            "warn",
            "function f() warn('@on') warn('a', 'b') return 'warned' end",
            "warned",
        ),
    ] {
        assert_eq!(
            result(text, &settings()).await.as_deref(),
            Ok(expected),
            "{name}"
        );
    }
}

#[tokio::test]
async fn modules_below_the_directory_of_a_script_are_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    std::fs::create_dir_all(root.join("lib/rules")).expect("a directory");
    let module = "#!/usr/bin/lua\nreturn {v = ...}";
    for name in ["one.lua", "lib/rules/init.lua", "lib/two.txt"] {
        std::fs::write(root.join(name), module).expect("a module");
    }
    std::fs::write(root.join("wrong.lua"), "\nreturn +").expect("a module");
    for (name, text, expected) in [
        ("beside it", "require('one').v", "one"),
        ("below", "require('lib.rules').v", "lib.rules"),
        (
            "where the script says",
            "(function() package.path = 'lib/?.txt' return require('two').v end)()",
            "two",
        ),
        ("as a chunk", "loadfile('lib/two.txt')('v').v", "v"),
        ("done", "type(dofile('lib/two.txt'))", "table"),
        (
            "found",
            "package.searchpath('lib.rules', package.path)",
            "./lib/rules/init.lua",
        ),
        (
            "with a mistake",
            "require('wrong')",
            "cannot load module 'wrong' from './wrong.lua': ./wrong.lua:2: unexpected symbol near '+'",
        ),
    ] {
        let text = format!("function f() return {text} end");
        let mut script = script(&text);
        script.path = root.join("s.lua");
        let vm = Vm::start(&script, &settings()).expect("it loads");
        let (Ok(answer) | Err(answer)) = call(&vm).await;
        assert!(answer.contains(expected), "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_script_that_is_always_late_is_given_up() {
    let vm = Vm::start(
        &script("n = 0 function f() n = n + 1 while n ~= 1 do end end"),
        &settings(),
    );
    let vm = vm.expect("it loads");
    assert_eq!(call(&vm).await.as_deref(), Ok("nil"));
    for expected in [
        "s.lua:1: it took longer than 100ms",
        "s.lua:1: it took longer than 100ms",
        "s.lua: given up after too many calls that took longer than 100ms",
        "s.lua: given up after too many calls that took longer than 100ms",
    ] {
        let error = call(&vm).await.expect_err("it loops");
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn libraries_that_are_allowed_are_there() {
    let os = "function f() return os.date('%Y', 0) .. tostring(io.open('/nowhere/at/all')) end";
    let exit = "function f() os.exit(0) end";
    let debug = "function f() return debug.getinfo(1).currentline end";
    let bytecode = "function f() return load(string.dump(function() return 1 end))() end";
    for (name, libraries, text, expected) in [
        ("os and io", Libraries::System, os, Ok("1970nil")),
        ("os and io", Libraries::Everything, os, Ok("1970nil")),
        (
            "the end of the program",
            Libraries::System,
            exit,
            Err("s.lua:1: os.exit is not for scripts"),
        ),
        (
            "the end of the program",
            Libraries::Everything,
            exit,
            Err("s.lua:1: os.exit is not for scripts"),
        ),
        ("debug", Libraries::System, debug, Err("(global 'debug')")),
        ("debug", Libraries::Everything, debug, Ok("1")),
        (
            "a finalizer of files",
            Libraries::System,
            "function f() getmetatable(io.stdout).__gc = print end",
            Err("s.lua:1: attempt to index a string value"),
        ),
        (
            "bytecode",
            Libraries::System,
            bytecode,
            Err("attempt to call a nil value"),
        ),
        ("bytecode", Libraries::Everything, bytecode, Ok("1")),
    ] {
        let settings = LuaSettings {
            libraries,
            ..settings()
        };
        let answer = result(text, &settings).await;
        match (&answer, expected) {
            (Ok(answer), Ok(expected)) => assert_eq!(answer, expected, "{name}"),
            (Err(error), Err(words)) => assert!(error.contains(words), "{name}: {error}"),
            _ => panic!("{name} with {libraries:?}: {answer:?}"),
        }
    }
}

/// Backtracks for longer than anybody lives, inside of a function of C.
const BACKTRACKS: &str = "local n = 0
function f()
  n = n + 1
  if n == 2 then
    return string.find(('a'):rep(60), ('a?'):rep(60) .. ('a'):rep(60) .. 'b')
  end
  return n
end";

#[tokio::test]
async fn a_call_that_does_not_end_in_c_is_left_to_itself_and_the_others_go_on() {
    let vm = Vm::start(&script(BACKTRACKS), &settings()).expect("a script");
    assert_eq!(call(&vm).await.as_deref(), Ok("1"));
    // sent while it hangs, and done by the one that takes its place
    let (hangs, waits) = tokio::join!(call(&vm), call(&vm));
    let error = hangs.expect_err("it hangs");
    assert!(
        error.starts_with("s.lua: it took longer than 100ms"),
        "{error}"
    );
    assert_eq!(
        waits.as_deref(),
        Ok("1"),
        "a new one knows nothing of the old"
    );
    for _ in 0..MOST_GIVEN_UP {
        call(&vm).await.expect_err("it hangs again");
        if call(&vm).await.is_err() {
            break;
        }
    }
    let error = call(&vm).await.expect_err("it is over");
    assert_eq!(error, "s.lua: given up after 4 calls that did not end");
}

#[tokio::test]
async fn several_interpreters_share_the_work() {
    let two = LuaSettings {
        vms: 2,
        ..settings()
    };
    let vm = Vm::start(&script("function f() return 1 end"), &two).expect("a script");
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let meet = || {
        let barrier = Arc::clone(&barrier);
        vm.run(move |_| barrier.wait().is_leader())
    };
    // neither of them ends before the other has begun
    let (one, other) = tokio::join!(meet(), meet());
    assert_ne!(one.expect("met"), other.expect("met"));
}

#[tokio::test]
async fn work_that_panics_costs_its_interpreter_and_nobody_else() {
    let vm = Vm::start(&script("function f() return 1 end"), &settings()).expect("a script");
    let error = vm.run(|_| panic!("on purpose")).await.map(|(): ()| ());
    assert!(error.is_err());
    assert_eq!(call(&vm).await.as_deref(), Ok("1"));
}

#[tokio::test]
async fn the_thread_ends_with_its_vm() {
    let vm = Vm::start(&script("function f() return 1 end"), &settings()).expect("a script");
    let crew = Arc::downgrade(&vm.crew);
    drop(vm);
    let gone = async {
        while crew.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("it ends");
}

#[tokio::test]
async fn modules_beside_the_script_are_found_and_are_text() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, content: &[u8]| {
        std::fs::write(directory.path().join(name), content).expect("a file");
    };
    let lua = mlua::Lua::new();
    let bytecode = lua
        .load("return {v = 1}")
        .into_function()
        .expect("a chunk")
        .dump(true);
    write("good.lua", b"return {v = 7}");
    write("binary.lua", &bytecode);
    write("broken.lua", b"return {");
    for (module, expected) in [
        ("good", Ok("7")),
        ("binary", Err("attempt to load a binary chunk")),
        ("broken", Err("cannot load module 'broken'")),
        ("missing", Err("module 'missing' not found")),
    ] {
        let path = directory.path().join("s.lua");
        std::fs::write(
            &path,
            format!("function f() return require('{module}').v end"),
        )
        .expect("a file");
        let said = Said {
            path: "lua.check",
            value: PathBuf::from(&path),
            origin: "test".to_owned(),
        };
        let script = Script::read(&said).expect("a script");
        let vm = Vm::start(&script, &settings()).expect("it loads");
        match (call(&vm).await, expected) {
            (Ok(answer), Ok(expected)) => assert_eq!(answer, expected),
            (Err(error), Err(words)) => assert!(error.contains(words), "{module}: {error}"),
            (answer, _) => panic!("{module}: {answer:?}"),
        }
    }
}
