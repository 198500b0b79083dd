//! What Linux says of mounts: whether a file is mounted by itself, and whether anybody at all can write to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where Linux lists the mounts that this process sees (`proc_pid_mountinfo(5)`).
const TABLE: &str = "/proc/self/mountinfo";

/// File systems that only this machine changes: one that is read-only here is not written to elsewhere.
const LOCAL: [&str; 14] = [
    "bcachefs", "btrfs", "cramfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "iso9660", "squashfs", "tmpfs",
    "udf", "xfs",
];

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    file_system: String,
    /// The file system itself, not only this way to it.
    is_read_only: bool,
}

/// Whether the file is a mount of its own, as containers are given single files: its log then lies in a directory that
/// is not seen from here.
pub(in crate::store) fn is_mounted_alone(real: &Path) -> bool {
    mount_of(&table(), real).is_some_and(|mount| mount.point == real)
}

/// Whether nothing can write to the file, by any path. A mount that is only read-only itself leaves others to write.
pub(in crate::store) fn is_immutable(real: &Path) -> bool {
    mount_of(&table(), real).is_some_and(|mount| mount.is_read_only && LOCAL.contains(&mount.file_system.as_str()))
}

/// Elsewhere than on Linux there is no such table, and nothing is known.
fn table() -> String {
    std::fs::read(TABLE).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The mount on which a path lies: the innermost, and of those at one point the last, which hides the others.
fn mount_of(table: &str, real: &Path) -> Option<Mount> {
    let mounts = table.lines().filter_map(read_row).filter(|mount| real.starts_with(&mount.point));
    mounts.max_by_key(|mount| mount.point.components().count())
}

/// `ID PARENT DEVICE ROOT POINT OPTIONS [TAGS]... - TYPE SOURCE OPTIONS`.
fn read_row(row: &str) -> Option<Mount> {
    let (place, system) = row.split_once(" - ")?;
    let point = unescaped(place.split(' ').nth(4)?);
    let mut system = system.split(' ');
    let file_system = system.next()?.to_owned();
    let is_read_only = system.nth(1)?.split(',').any(|option| option == "ro");
    Some(Mount { point, file_system, is_read_only })
}

/// Blanks and the like stand as `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut parts = text.split('\\');
    let mut path = OsString::from(parts.next().unwrap_or_default());
    for part in parts {
        let code = part.get(..3).and_then(|code| u8::from_str_radix(code, 8).ok());
        match code {
            Some(code) => {
                path.push(char::from(code).to_string());
                path.push(&part[3..]);
            }
            None => path.push(format!("\\{part}")),
        }
    }
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n\
        30 22 8:2 / /data ro,relatime shared:2 - xfs /dev/sdb1 rw\n\
        31 22 8:3 / /cd ro - iso9660 /dev/sr0 ro\n\
        32 22 0:40 / /net ro - nfs4 server:/x ro,vers=4.2\n\
        33 22 8:1 /x/a.db /srv/my\\040data/a.db rw - ext4 /dev/sda1 rw\n\
        34 22 8:4 / /data rw - tmpfs none ro\n";

    #[test]
    fn the_innermost_and_last_mount_counts() {
        let point = |path: &str| mount_of(MOUNTS, Path::new(path)).unwrap();
        assert_eq!(point("/data2/a.db").point, Path::new("/"));
        assert_eq!(point("/data/a.db").file_system, "tmpfs");
        assert_eq!(point("/srv/my data/a.db").point, Path::new("/srv/my data/a.db"));
        assert_eq!(point("/srv/my data/b.db").point, Path::new("/"));
    }

    #[test]
    fn what_another_path_or_machine_may_write_is_not_read_only() {
        let is_read_only = |path: &str, table: &str| {
            mount_of(table, Path::new(path))
                .is_some_and(|mount| mount.is_read_only && LOCAL.contains(&mount.file_system.as_str()))
        };
        assert!(is_read_only("/cd/a.db", MOUNTS) && is_read_only("/data/a.db", MOUNTS));
        assert!(!is_read_only("/a.db", MOUNTS) && !is_read_only("/net/a.db", MOUNTS));
        // A way to it that is read-only, beside others that are not.
        assert!(!is_read_only("/data/a.db", MOUNTS.lines().nth(1).unwrap()));
        assert!(!is_read_only("/a.db", "") && !is_read_only("/a.db", "nonsense\n1 2 - x\n"));
    }
}
