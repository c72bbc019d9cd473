//! The files that a safe script may read: those below its own directory.

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};

use mlua::{Lua, LuaString, chunk::ChunkMode};
use rustix::fs::OFlags;

use super::libraries::OURS;

/// Has `require`, `loadfile` and `dofile` read by the function it is given.
const BESIDE: &str = include_str!("beside.lua");

/// More than this is no module.
const LARGEST: u64 = 16 << 20;

/// Lets a script load text from files below a directory, and from nowhere else.
pub(super) fn confine(lua: &Lua, directory: &Path) -> mlua::Result<()> {
    let directory = directory.to_owned();
    let read = lua.create_function(move |lua, path: LuaString| {
        let path = PathBuf::from(path.to_string_lossy());
        Ok(match read(&directory, &path) {
            Ok(bytes) => (Some(lua.create_string(&bytes)?), None),
            Err(why) => (None, Some(format!("cannot read {}: {why}", path.display()))),
        })
    })?;
    let beside = lua.load(BESIDE).set_name(OURS).set_mode(ChunkMode::Text);
    beside.call(read)
}

/// What is in a regular file below a directory, wherever links in its path lead. The error is why
/// it is not read.
fn read(directory: &Path, path: &Path) -> Result<Vec<u8>, String> {
    let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.components().all(is_inside) {
        return Err("a script reads only below its own directory".to_owned());
    }
    let told = |error: std::io::Error| error.to_string();
    let root = fs::canonicalize(directory).map_err(told)?;
    let file = fs::canonicalize(root.join(path)).map_err(told)?;
    if !file.starts_with(&root) {
        return Err("it is a link out of the script's directory".to_owned());
    }
    // a pipe that nobody writes to would be waited for when it is opened
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(file)
        .map_err(told)?;
    if !file.metadata().map_err(told)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    (file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(told)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_below_the_directory_are_read() {
        let world = tempfile::tempdir().expect("a directory");
        let root = world.path().join("scripts");
        fs::create_dir_all(root.join("lib")).expect("a directory");
        fs::write(root.join("lib/m.lua"), "m").expect("a file");
        fs::write(world.path().join("secret"), "s").expect("a file");
        symlink("lib/m.lua", root.join("within")).expect("a link");
        symlink("../secret", root.join("out")).expect("a link");
        symlink("/dev/zero", root.join("zero")).expect("a link");
        symlink("..", root.join("up")).expect("a link");
        let pipe = root.join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .expect("a pipe");
        let absolute = root.join("lib/m.lua");
        for (path, expected) in [
            ("lib/m.lua", Ok("m")),
            ("./lib/./m.lua", Ok("m")),
            ("within", Ok("m")),
            ("../secret", Err("only below")),
            ("lib/../../secret", Err("only below")),
            (absolute.to_str().expect("UTF-8"), Err("only below")),
            ("/etc/passwd", Err("only below")),
            ("out", Err("a link out")),
            ("up/secret", Err("a link out")),
            ("zero", Err("a link out")),
            ("pipe", Err("not a regular file")),
            ("lib", Err("not a regular file")),
            ("none", Err("No such file")),
        ] {
            match (read(&root, Path::new(path)), expected) {
                (Ok(bytes), Ok(text)) => assert_eq!(bytes, text.as_bytes(), "{path}"),
                (Err(why), Err(words)) => assert!(why.contains(words), "{path}: {why}"),
                (other, _) => panic!("{path}: {other:?}"),
            }
        }
    }
}
