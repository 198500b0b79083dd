//! SQLite's temporary files. They are deleted as soon as they are open, so that nothing but the
//! process that uses them knows of them.

/// How many bytes of disk this process holds in files that have no name any more.
///
/// Linux shows what a process has open (proc(5)); elsewhere nothing is known, and zero is answered.
pub fn temporary_bytes() -> u64 {
    if !cfg!(target_os = "linux") {
        return 0;
    }
    let Ok(open_files) = std::fs::read_dir("/proc/self/fd") else { return 0 };
    open_files
        .flatten()
        .filter_map(|entry| std::fs::metadata(entry.path()).ok())
        .map(|file| nameless(&file))
        .sum()
}

#[cfg(unix)]
fn nameless(file: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    /// The unit of `st_blocks` (stat(2)).
    const BLOCK_BYTES: u64 = 512;
    if file.is_file() && file.nlink() == 0 { file.blocks() * BLOCK_BYTES } else { 0 }
}

#[cfg(not(unix))]
fn nameless(_file: &std::fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    #[cfg(target_os = "linux")]
    fn files_without_a_name_are_counted() {
        let mut named = tempfile::NamedTempFile::new().unwrap();
        let mut without_name = tempfile::tempfile().unwrap();
        for file in [named.as_file_mut(), &mut without_name] {
            file.write_all(&vec![1; 4 << 20]).unwrap();
            file.sync_all().unwrap();
        }
        assert_eq!(nameless(&named.as_file().metadata().unwrap()), 0);
        assert!(nameless(&without_name.metadata().unwrap()) >= 4 << 20);
        // Other tests of this process have such files too, and may close them meanwhile.
        assert!(temporary_bytes() >= 4 << 20);
    }
}
