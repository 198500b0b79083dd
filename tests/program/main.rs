//! The program as a person, a script or cron meets it: the real binary in a sealed environment,
//! against the stand-in cloud, whose world, clock, journal and faults the test holds in its hands.
//!
//! Where time has to pass, the run is made in this process instead, over the same client and a real
//! socket: run and cloud then share a clock that the test sets.
#![cfg(all(feature = "emulator", unix))]
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod aftermath;
mod agency;
mod alerts;
mod archive;
mod backup;
mod bad_archive;
mod bad_service;
mod cloud;
mod config;
mod contracts;
mod credentials;
mod datasette;
mod digests;
mod disk;
mod doctor;
mod every;
mod failing;
mod faults;
mod figures;
mod functions;
mod hostile;
mod init;
mod kills;
mod listener;
mod live;
mod moving;
mod names;
mod notify;
mod output;
mod own;
mod page;
mod program;
mod prompt;
mod prune;
mod reach;
mod reading;
mod readings;
mod regions;
mod requests;
mod serve;
mod settings_of_the_wire;
mod sharing;
mod terminal;
mod truth;
mod usage;
mod verify;
