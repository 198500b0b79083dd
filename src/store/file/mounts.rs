//! What Linux says of mounts: whether a file is mounted by itself, and whether anybody at all can
//! write to it.

use std::path::{Path, PathBuf};

/// Where Linux lists the mounts that this process sees (`proc_pid_mountinfo(5)`).
const TABLE: &str = "/proc/self/mountinfo";

/// File systems that only this machine changes: one that is read-only here is not written to
/// elsewhere.
const LOCAL: [&str; 14] = [
    "bcachefs", "btrfs", "cramfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "iso9660",
    "squashfs", "tmpfs", "udf", "xfs",
];

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    file_system: String,
    /// The file system itself, not only this way to it.
    is_read_only: bool,
}

/// Whether the file is a mount of its own, as containers are given single files: its log then lies
/// in a directory that is not seen from here.
pub(in crate::store) fn is_mounted_alone(real: &Path) -> bool {
    mount_of(&table(), real).is_some_and(|mount| mount.point == real)
}

/// Whether nothing can write to the file, by any path. A mount that is only read-only itself leaves
/// others to write.
pub(in crate::store) fn is_immutable(real: &Path) -> bool {
    mount_of(&table(), real)
        .is_some_and(|mount| mount.is_read_only && LOCAL.contains(&mount.file_system.as_str()))
}

/// Elsewhere than on Linux there is no such table, and nothing is known.
fn table() -> Vec<u8> {
    std::fs::read(TABLE).unwrap_or_default()
}

/// The mount on which a path lies: the innermost, and of those at one point the last, which hides
/// the others.
fn mount_of(table: &[u8], real: &Path) -> Option<Mount> {
    let mounts = table
        .split(|byte| *byte == b'\n')
        .filter_map(read_row)
        .filter(|mount| real.starts_with(&mount.point));
    mounts.max_by_key(|mount| mount.point.components().count())
}

/// `ID PARENT DEVICE ROOT POINT OPTIONS [TAGS]... - TYPE SOURCE OPTIONS`, in bytes: a path need not
/// be UTF-8.
fn read_row(row: &[u8]) -> Option<Mount> {
    let between = row.windows(3).position(|window| window == b" - ")?;
    let (place, system) = (&row[..between], &row[between + 3..]);
    let point = path_of(unescaped(words(place).nth(4)?));
    let mut system = words(system);
    let file_system = String::from_utf8_lossy(system.next()?).into_owned();
    let is_read_only = system.nth(1)?.split(|byte| *byte == b',').any(|option| option == b"ro");
    Some(Mount { point, file_system, is_read_only })
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b' ')
}

/// Blanks and the like stand as `\040`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let code = if byte == b'\\' { after.get(..3).and_then(octal) } else { None };
        path.push(code.unwrap_or(byte));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    path
}

fn octal(digits: &[u8]) -> Option<u8> {
    std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 8).ok())
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    const MOUNTS: &[u8] = b"\
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
    fn a_mount_is_found_whatever_bytes_its_name_has() {
        for (written, name) in [
            (&b"/srv/odd\xff\xfe.db"[..], &b"/srv/odd\xff\xfe.db"[..]),
            (b"/srv/\xff\\040\\011\\012\\134040.db", b"/srv/\xff \t\n\\040.db"),
            (b"/srv/\xc3\xa9\\040\xc3\xa9", "/srv/é é".as_bytes()),
            (b"/srv/a\\", b"/srv/a\\"),
            (b"/srv/a\\9", b"/srv/a\\9"),
            (b"/srv/a\\999\xff", b"/srv/a\\999\xff"),
        ] {
            let table =
                [MOUNTS, b"40 22 8:1 /x/\xff.db ", written, b" rw - ext4 /dev/\xff rw\n", MOUNTS]
                    .concat();
            let real = Path::new(OsStr::from_bytes(name));
            assert_eq!(mount_of(&table, real).unwrap().point, real);
        }
    }

    #[test]
    fn what_another_path_or_machine_may_write_is_not_read_only() {
        let is_read_only = |path: &str, table: &[u8]| {
            mount_of(table, Path::new(path)).is_some_and(|mount| {
                mount.is_read_only && LOCAL.contains(&mount.file_system.as_str())
            })
        };
        assert!(is_read_only("/cd/a.db", MOUNTS) && is_read_only("/data/a.db", MOUNTS));
        assert!(!is_read_only("/a.db", MOUNTS) && !is_read_only("/net/a.db", MOUNTS));
        // A way to it that is read-only, beside others that are not.
        assert!(!is_read_only("/data/a.db", MOUNTS.split(|byte| *byte == b'\n').nth(1).unwrap()));
        assert!(!is_read_only("/a.db", b"") && !is_read_only("/a.db", b"nonsense\n1 2 - x\n"));
    }
}
