//! Opening what is beneath a directory, and nothing that a symbolic link leads to elsewhere.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, fstatvfs, openat, statat};
use rustix::io::Errno;

use super::reached::Id;
use crate::store::{DirectoryId, ErrorKind, StoreError};

/// How directories are opened.
pub(super) const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A directory that is the boundary: links that stay inside it are followed where the kernel can
/// tell (`openat2`, Linux 5.6), and none at all where it cannot.
#[derive(Debug)]
pub(super) struct Beneath {
    path: PathBuf,
    root: OwnedFd,
}

impl Beneath {
    /// Takes the directory at `path` as the boundary; links on the way to it are the user's own.
    pub(super) fn open_root(path: &Path) -> Result<Self, Errno> {
        let root = rustix::fs::open(path, DIRECTORY, Mode::empty())?;
        let path = path.to_owned();
        Ok(Self { path, root })
    }

    /// Which directory it is.
    pub(super) fn id(&self) -> Result<DirectoryId, Errno> {
        let file_system = fstatvfs(&self.root).ok().map(|it| it.f_fsid);
        // some have none
        let file_system = file_system.filter(|id| *id != 0);
        Ok(Id::of(&fstat(&self.root)?).on(file_system))
    }

    /// Opens what `path` names; [`Errno::XDEV`] when a symbolic link would lead out.
    pub(super) fn open(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        match open_by_kernel(&self.root, path, flags) {
            // no such call, or one that a container's filter forbids
            Err(Errno::NOSYS | Errno::PERM) => open_by_hand(&self.root, path, flags),
            result => result,
        }
    }

    /// The same through no symbolic link at all, wherever it leads.
    pub(super) fn open_without_links(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        open_by_hand(&self.root, path, flags)
    }

    /// Says in words why `path` could not be opened.
    pub(super) fn explain(&self, operation: &'static str, path: &Path, error: Errno) -> StoreError {
        let whole = self.path.join(path).display().to_string();
        match error {
            Errno::XDEV | Errno::LOOP => StoreError::new(
                operation,
                whole,
                ErrorKind::UnsafeKey,
                format!(
                    "a symbolic link on the way leads out of `{}`; nothing is written through it",
                    self.path.display()
                ),
            ),
            Errno::NOTDIR => StoreError::new(
                operation,
                whole,
                ErrorKind::Occupied,
                format!(
                    "`{}` is a file where a directory must be",
                    self.first_file_on_the_way(path).display()
                ),
            ),
            other => StoreError::io(operation, whole, &other.into()),
        }
    }

    fn first_file_on_the_way(&self, path: &Path) -> PathBuf {
        let mut way: Vec<&Path> = path
            .ancestors()
            .filter(|part| !part.as_os_str().is_empty())
            .collect();
        way.reverse();
        let is_directory = |part: &Path| {
            statat(&self.root, part, AtFlags::empty())
                .is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Directory)
        };
        let culprit = way.into_iter().find(|part| !is_directory(part));
        self.path.join(culprit.unwrap_or(path))
    }
}

#[cfg(target_os = "linux")]
fn open_by_kernel(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN: something was renamed while `..` in a link was resolved
    for _ in 0..16 {
        match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

#[cfg(not(target_os = "linux"))]
fn open_by_kernel(_: &OwnedFd, _: &Path, _: OFlags) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// Component by component, following no symbolic link.
fn open_by_hand(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(Ok(name)),
        Component::CurDir => None,
        Component::ParentDir | Component::RootDir | Component::Prefix(_) => Some(Err(Errno::XDEV)),
    });
    let Some(mut name) = names.next().transpose()? else {
        return openat(root, ".", flags | OFlags::CLOEXEC, Mode::empty());
    };
    let mut above: Option<OwnedFd> = None;
    for below in names {
        let parent = above.as_ref().unwrap_or(root);
        above = Some(open_unless_link(parent, name, DIRECTORY)?);
        name = below?;
    }
    open_unless_link(above.as_ref().unwrap_or(root), name, flags)
}

fn open_unless_link(parent: &impl AsFd, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty()).map_err(|error| {
        let is_link = || {
            statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Symlink)
        };
        match error {
            Errno::LOOP | Errno::NOTDIR | Errno::MLINK if is_link() => Errno::XDEV,
            other => other,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_is_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).expect("directories");
        std::fs::create_dir(dir.path().join("outside")).expect("a directory");
        std::fs::write(root.join("file"), "x").expect("a file");
        symlink(dir.path().join("outside"), root.join("absolute")).expect("a link");
        symlink("../outside", root.join("relative")).expect("a link");
        symlink("a/b", root.join("inside")).expect("a link");
        let beneath = Beneath::open_root(&root).expect("the root");

        type Open = fn(&OwnedFd, &Path, OFlags) -> Result<OwnedFd, Errno>;
        for (how, open) in [
            ("kernel", open_by_kernel as Open),
            ("hand", open_by_hand as Open),
        ] {
            for (path, expected) in [
                (".", Ok(())),
                ("a", Ok(())),
                ("a/b", Ok(())),
                ("a/c", Err(Errno::NOENT)),
                ("file", Err(Errno::NOTDIR)),
                ("file/x", Err(Errno::NOTDIR)),
                ("absolute", Err(Errno::XDEV)),
                ("absolute/x", Err(Errno::XDEV)),
                ("relative", Err(Errno::XDEV)),
                ("../outside", Err(Errno::XDEV)),
                ("/etc", Err(Errno::XDEV)),
            ] {
                let seen = open(&beneath.root, Path::new(path), DIRECTORY).map(drop);
                if seen == Err(Errno::NOSYS) {
                    continue; // an old kernel
                }
                assert_eq!(seen, expected, "{path} by {how}");
            }
        }
        assert!(beneath.open(Path::new(""), DIRECTORY).is_ok());
        assert!(open_by_hand(&beneath.root, Path::new("inside"), DIRECTORY).is_err());
    }
}
