//! Links, pipes and folders where files are expected.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A project and something beside it.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("project/inside")).unwrap();
        fs::create_dir_all(folder.path().join("outside")).unwrap();
        fs::write(folder.path().join("outside/secret"), "secret").unwrap();
        Self { folder }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn fence(&self) -> Fence {
        Fence::around(&self.at("project"))
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    /// Everything beside the project, by name.
    fn outside(&self) -> Vec<String> {
        let names = fs::read_dir(self.at("outside")).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn refusal<T: std::fmt::Debug>(result: std::io::Result<T>) -> FileRefusal {
    let error = result.unwrap_err();
    FileRefusal::of(&error).unwrap_or_else(|| panic!("{error}")).clone()
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) {
    std::os::unix::fs::symlink(target, at).unwrap();
}

#[cfg(unix)]
fn pipe(at: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, at, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn files_inside_are_read_to_their_bound() {
    let ground = Ground::new();
    let path = ground.at("project/inside/a");
    fs::write(&path, "1234").unwrap();
    assert_eq!(read(&path, &ground.fence(), 4).unwrap(), b"1234");
    assert_eq!(refusal(read(&path, &ground.fence(), 3)), FileRefusal::TooLarge(3));
    assert_eq!(refusal(read(&ground.at("project/inside"), &ground.fence(), 9)), FileRefusal::Folder);
    let missing = read(&ground.at("project/none/a"), &ground.fence(), 9).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    let above = ground.at("project/../outside/secret");
    assert!(matches!(refusal(read(&above, &ground.fence(), 9)), FileRefusal::Outside(_)));
    assert_eq!(read(&above, &Fence::anywhere(), 9).unwrap(), b"secret");
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_and_nowhere_else() {
    let ground = Ground::new();
    fs::write(ground.at("project/inside/a"), "a").unwrap();
    link(&ground.at("project/inside/a"), &ground.at("project/absolute"));
    link(Path::new("inside"), &ground.at("project/folder"));
    link(&ground.at("outside"), &ground.at("project/away"));
    link(Path::new("away/secret"), &ground.at("project/chain"));
    link(Path::new("nothing"), &ground.at("project/dangling"));
    for inside in ["project/absolute", "project/folder/a"] {
        assert_eq!(read(&ground.at(inside), &ground.fence(), 9).unwrap(), b"a", "{inside}");
    }
    for outside in ["project/away/secret", "project/away/none", "project/chain", "project/away"] {
        let found = refusal(read(&ground.at(outside), &ground.fence(), 9));
        assert!(matches!(found, FileRefusal::Outside(_)), "{outside}: {found:?}");
    }
    for nowhere in ["project/dangling", "project/dangling/a"] {
        assert_eq!(
            refusal(read(&ground.at(nowhere), &ground.fence(), 9)),
            FileRefusal::Dangling,
            "{nowhere}"
        );
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_are_refused_at_once() {
    let ground = Ground::new();
    pipe(&ground.at("project/pipe"));
    link(Path::new("pipe"), &ground.at("project/to-pipe"));
    let _listener = std::os::unix::net::UnixListener::bind(ground.at("project/socket")).unwrap();
    for name in ["pipe", "to-pipe", "socket"] {
        let path = ground.at("project").join(name);
        assert_eq!(refusal(read(&path, &ground.fence(), 9)), FileRefusal::Irregular, "{name}");
        assert_eq!(refusal(read(&path, &Fence::anywhere(), 9)), FileRefusal::Irregular, "{name}");
    }
    for name in ["pipe", "socket"] {
        let path = ground.at("project").join(name);
        assert_eq!(refusal(NewFile::beside(&path, &ground.fence())), FileRefusal::Irregular, "{name}");
        for before in [ChangeCondition::There, ChangeCondition::Any] {
            assert_eq!(
                refusal(open_to_add(&path, &ground.fence(), before)),
                FileRefusal::Irregular,
                "{name}"
            );
        }
        assert_eq!(refusal(remove(&path, &ground.fence())), FileRefusal::Irregular, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let ground = Ground::new();
    link(&ground.at("outside/secret"), &ground.at("project/file"));
    link(&ground.at("outside/new"), &ground.at("project/dangling"));
    link(&ground.at("outside"), &ground.at("project/away"));
    for name in ["file", "dangling"] {
        let path = ground.at("project").join(name);
        for fence in [ground.fence(), Fence::anywhere()] {
            assert_eq!(refusal(NewFile::beside(&path, &fence)), FileRefusal::Link, "{name}");
            assert_eq!(
                refusal(open_to_add(&path, &fence, ChangeCondition::Any)),
                FileRefusal::Link,
                "{name}"
            );
            assert_eq!(refusal(remove(&path, &fence)), FileRefusal::Link, "{name}");
        }
        assert!(open_to_add(&path, &ground.fence(), ChangeCondition::Missing).is_err(), "{name}");
        assert_eq!(refusal(OutputTarget::check(&path, &Fence::anywhere())), FileRefusal::Link, "{name}");
        assert!(path.symlink_metadata().unwrap().is_symlink(), "{name}");
    }
    for name in ["away/new", "away/deep/new", "away/secret"] {
        let path = ground.at("project").join(name);
        assert!(
            matches!(refusal(NewFile::beside(&path, &ground.fence())), FileRefusal::Outside(_)),
            "{name}"
        );
        let added = open_to_add(&path, &ground.fence(), ChangeCondition::Any);
        assert!(matches!(refusal(added), FileRefusal::Outside(_)), "{name}");
        assert!(
            matches!(refusal(OutputTarget::check(&path, &ground.fence())), FileRefusal::Outside(_)),
            "{name}"
        );
        assert!(matches!(refusal(remove(&path, &ground.fence())), FileRefusal::Outside(_)), "{name}");
    }
    assert_eq!(ground.outside(), ["secret"]);
    assert_eq!(ground.text("outside/secret"), "secret");
}

#[cfg(unix)]
#[test]
fn a_link_that_comes_while_a_file_is_written_is_refused() {
    use std::io::Write;
    let ground = Ground::new();
    let file = NewFile::beside(&ground.at("project/a"), &ground.fence()).unwrap();
    file.file().write_all(b"new").unwrap();
    link(&ground.at("outside/secret"), &ground.at("project/a"));
    assert_eq!(refusal(file.persist()), FileRefusal::Link);
    assert_eq!(ground.text("outside/secret"), "secret");
    assert_eq!(fs::read_dir(ground.at("project")).unwrap().count(), 2, "nothing is left beside it");
}

#[cfg(unix)]
#[test]
fn a_folder_that_becomes_a_link_meanwhile_is_not_left() {
    use std::io::Write;
    let ground = Ground::new();
    let file = NewFile::beside(&ground.at("project/inside/a"), &ground.fence()).unwrap();
    file.file().write_all(b"new").unwrap();
    fs::rename(ground.at("project/inside"), ground.at("project/moved")).unwrap();
    link(&ground.at("outside"), &ground.at("project/inside"));
    file.persist().unwrap();
    assert_eq!(ground.text("project/moved/a"), "new");
    assert_eq!(ground.outside(), ["secret"]);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_rights() {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::new();
    let path = ground.at("project/a");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let file = NewFile::beside(&path, &ground.fence()).unwrap();
    file.file().write_all(b"new").unwrap();
    file.persist().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(ground.text("project/a"), "new");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_read_is_written_to() {
    use std::io::{Read, Write};
    let ground = Ground::new();
    let path = ground.at("pipe");
    pipe(&path);
    assert_eq!(refusal(OutputTarget::begin(&path, &Fence::anywhere())), FileRefusal::Unread);
    let reader = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut text = String::new();
            fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
            text
        }
    });
    let output = OutputTarget::begin(&path, &Fence::anywhere()).unwrap();
    output.file().write_all(b"the result").unwrap();
    output.finish().unwrap();
    assert_eq!(reader.join().unwrap(), "the result");
    use std::os::unix::fs::FileTypeExt;
    assert!(path.symlink_metadata().unwrap().file_type().is_fifo());
}

#[test]
fn paths_from_the_command_line_stay_in_the_project_if_they_lie_in_it() {
    let ground = Ground::new();
    let project = ground.at("project");
    let fence = |path: &str| Fence::of_named(&ground.at(path), &project);
    assert_eq!(fence("project/a"), Fence::around(&project));
    assert_eq!(fence("project/b/../a"), Fence::around(&project));
    assert_eq!(fence("project/../outside/secret"), Fence::anywhere());
    assert_eq!(fence("outside/secret"), Fence::anywhere());
}

#[test]
fn a_folder_is_ours_by_its_mark_or_by_what_it_holds() {
    let ground = Ground::new();
    let folder = ground.at("project/latest");
    let known = |name: &str| match name {
        "junit.xml" => Some("flowproof"),
        "diff" => Some(""),
        _ => None,
    };
    let whose = || marked_as(&folder, known).unwrap();
    assert_eq!(whose(), FolderMark::Free);
    fs::create_dir_all(&folder).unwrap();
    assert_eq!(whose(), FolderMark::Free);
    fs::write(folder.join("junit.xml"), "<of another tool>").unwrap();
    assert_eq!(whose(), FolderMark::Foreign("junit.xml".to_owned()));
    fs::write(folder.join("junit.xml"), "<testsuites name=\"flowproof\">").unwrap();
    fs::create_dir(folder.join("diff")).unwrap();
    assert_eq!(whose(), FolderMark::Ours);
    fs::write(folder.join("mine.txt"), "").unwrap();
    assert_eq!(whose(), FolderMark::Foreign("mine.txt".to_owned()));
    fs::remove_file(folder.join("mine.txt")).unwrap();
    fs::write(folder.join("junit.xml"), "").unwrap();
    assert_eq!(whose(), FolderMark::Foreign("junit.xml".to_owned()));
    mark(&folder).unwrap();
    mark(&folder).unwrap();
    assert_eq!(whose(), FolderMark::Ours, "what carries the mark is ours whatever its documents hold");
    fs::write(folder.join("mine.txt"), "").unwrap();
    assert_eq!(whose(), FolderMark::Foreign("mine.txt".to_owned()));
}
