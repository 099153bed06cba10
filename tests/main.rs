//! All integration tests, as one program: linking annexd once instead of once a file takes minutes off every run.
//!
//! [tests/README.md](README.md) explains the lab and says which file holds what.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test prints what it counted")]
#![allow(clippy::disallowed_methods, reason = "tests look at the clock and the disk of the machine they run on")]

mod cli;
mod config;
mod contract;
mod divisions;
mod duplicates;
mod duplicates_stored;
mod faults;
mod faults_lines;
mod faults_machine;
mod faults_memory;
mod faults_poison;
mod faults_recovery;
mod faults_stop;
mod faults_suspects;
mod hostile_limits;
mod hostile_mutations;
mod hostile_reader;
mod hostile_sheets;
mod hostile_word;
mod install;
mod journey;
mod judging;
mod judging_again;
mod judging_laws;
mod lab;
mod lab_netease;
mod letters_delivery;
mod letters_unknown;
mod letters_wars;
mod many_daemons;
mod netease;
mod new_form;
mod object_store;
mod operate;
mod programmes;
mod reader;
mod reading_aligned;
mod reading_bureaus;
mod reading_letters;
mod reading_mails;
mod reading_parts;
mod reading_scans;
mod reading_sheets;
mod reading_table;
mod reading_word;
mod readme;
mod routing;
mod rules;
mod schema_versions;
mod soak;
mod support;
mod tidy;
mod tls;
mod two_databases;
mod web;
