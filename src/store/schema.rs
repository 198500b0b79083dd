//! Which file is ours, and which versions of it this program knows.

/// SQLite's `application_id` of an archive, `fgar` in ASCII: what makes a SQLite file ours.
pub const APPLICATION_ID: u32 = 0x6667_6172;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The migrations of this program, oldest first.
pub(super) fn migrations() -> refinery::Runner {
    embedded::migrations::runner()
}

/// The newest version of the schema that this program knows.
pub fn known_version() -> i32 {
    migrations().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}
