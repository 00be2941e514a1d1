//! Files that are generated and committed, compared with what would be generated now.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// How many differing lines a failure shows.
const SHOWN: usize = 8;

/// The folder of the workspace's `Cargo.toml`.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("the testkit lies two folders below the workspace root")
        .to_path_buf()
}

/// Compares the committed file at `path` (relative to the workspace root) with `content`, what was generated now.
///
/// With `BIGTIX_BLESS=1` in the environment the file is rewritten instead when it differs.
///
/// # Panics
/// When the file differs or is missing (with the first differing lines), or cannot be written.
pub fn generated(path: impl AsRef<Path>, content: &str) {
    let bless = std::env::var_os("BIGTIX_BLESS").is_some_and(|value| value == "1");
    if let Err(why) = compare(&workspace_root(), path.as_ref(), content, bless) {
        panic!("{why}");
    }
}

fn compare(root: &Path, path: &Path, content: &str, bless: bool) -> Result<(), String> {
    let file = root.join(path);
    let committed = std::fs::read_to_string(&file);
    if committed.as_deref().is_ok_and(|committed| committed == content) {
        return Ok(());
    }
    if bless {
        return write(&file, content).map_err(|error| format!("cannot write {}: {error}", file.display()));
    }
    let difference = match committed {
        Ok(committed) => diff(&committed, content),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "the file does not exist\n".to_owned(),
        Err(error) => format!("the file cannot be read: {error}\n"),
    };
    Err(format!(
        "{} is not what is generated now; run `make gen` and commit it\n{difference}",
        path.display()
    ))
}

/// Writes beside the file and renames, so that a test that is killed leaves no half of a file.
fn write(file: &Path, content: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}.orig", std::process::id()));
    std::fs::write(&beside, content)?;
    std::fs::rename(&beside, file)
}

/// The part between the common beginning and the common end, `-` committed and `+` generated.
fn diff(committed: &str, generated: &str) -> String {
    let old: Vec<&str> = committed.lines().collect();
    let new: Vec<&str> = generated.lines().collect();
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let tail = old[head..]
        .iter()
        .rev()
        .zip(new[head..].iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let (old, new) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut text = format!("line {}:\n", head + 1);
    for (sign, lines) in [('-', old), ('+', new)] {
        for line in lines.iter().take(SHOWN) {
            let _ = writeln!(text, "{sign} {line}");
        }
        if lines.len() > SHOWN {
            let _ = writeln!(text, "{sign} ... {} lines more", lines.len() - SHOWN);
        }
    }
    if old.is_empty() && new.is_empty() {
        text.push_str("only the ends of lines differ\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_root_is_found() {
        assert!(workspace_root().join("rust-toolchain.toml").is_file());
    }

    #[test]
    fn an_equal_file_is_accepted() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("a.txt"), "one\n").expect("a file");
        assert_eq!(compare(root.path(), Path::new("a.txt"), "one\n", false), Ok(()));
    }

    #[test]
    fn a_stale_file_is_refused_with_the_lines_that_differ() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("a.txt"), "one\ntwo\nthree\n").expect("a file");
        let why = compare(root.path(), Path::new("a.txt"), "one\n2\nthree\n", false).expect_err("it differs");
        assert!(why.contains("make gen"), "{why}");
        assert!(why.ends_with("line 2:\n- two\n+ 2\n"), "{why}");
    }

    #[test]
    fn a_missing_file_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let why = compare(root.path(), Path::new("a.txt"), "one\n", false).expect_err("it is missing");
        assert!(why.contains("does not exist"), "{why}");
    }

    #[test]
    fn blessing_writes_the_file_and_its_folder() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(
            compare(root.path(), Path::new("deep/a.txt"), "one\n", true),
            Ok(())
        );
        assert_eq!(
            std::fs::read_to_string(root.path().join("deep/a.txt")).expect("written"),
            "one\n"
        );
        assert_eq!(
            std::fs::read_dir(root.path().join("deep"))
                .expect("a folder")
                .count(),
            1
        );
    }

    #[test]
    fn a_long_difference_is_cut() {
        let long: String = (0..50).map(|line| format!("{line}\n")).collect();
        assert!(diff("", &long).ends_with("+ ... 42 lines more\n"));
        assert!(diff("a\n", "a").contains("ends of lines"));
    }
}
