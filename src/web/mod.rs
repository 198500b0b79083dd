//! The page live, on a port: the same figures, narrowed by the address, with the records behind
//! them.
//!
//! A request is let in ([`Admission`]), what it asks for is read from its address, and the answer
//! is made of the archive as it is then, by a reader of its own that no run waits for. Every answer
//! has a limit on its time and its size, and only so many are made at once.

mod address;
mod admission;
mod api;
mod connections;
mod reply;
mod server;
mod site;

pub(crate) use admission::Admission;
pub(crate) use server::serve;
pub(crate) use site::Site;
