//! Twins among topics: the same text, the same with edits, or the same technology told anew.
//!
//! Two signals, because each is blind where the other sees. The share of common character triples finds copies and edits, and
//! knows nothing of a technology told in other words. The cosine of the terms, each weighing as much as it is rare, sees those, and
//! would take neighbours in one trade for twins, so the applicant weighs in: the same enterprise lowers the bar, another raises it.
//! Clauses that anybody writes (卡脖子, 国际先进水平) are left out before either is taken.
//!
//! A [`Signature`] depends on its own text alone. A store keeps its bands, keys and pairs in two tables and reads candidates by them:
//!
//! ```sql
//! CREATE TABLE signature_band (hash BIGINT NOT NULL, priority BIGINT NOT NULL, topic BIGINT NOT NULL, PRIMARY KEY (hash, priority, topic));
//! CREATE TABLE signature_pair (hash BIGINT NOT NULL, priority BIGINT NOT NULL, topic BIGINT NOT NULL, PRIMARY KEY (hash, priority, topic));
//! -- `bands` and `keys` go into the first, `pairs` into the second. For every one of them, 64 being `Settings::postings_read`:
//! SELECT priority, topic FROM signature_band WHERE hash = ? ORDER BY priority LIMIT 64;
//! ```
//!
//! `priority` is [`priority`] of the receipt number: a fixed draw, so that a bounded read of a long posting finds the same topics
//! whatever the order in which they came, and neither reading nor adding one grows with the number stored. The topics named most often
//! ([`Index::candidates`]) are then compared in full ([`compare`]), by their signatures as they are kept.

mod applicant;
mod arena;
mod evidence;
mod figures;
mod hashing;
mod index;
mod keys;
mod likeness;
mod marked;
mod ordering;
mod postings;
mod prose;
mod rarity;
mod signature;
mod stored;
mod votes;

pub use applicant::{Applicant, Relation};
pub use evidence::{Evidence, evidence};
pub use index::{BAND_VOTES, ENOUGH, Index, KEY_VOTES, PAIR_VOTES, priority};
pub use likeness::{Compared, Comparison, Kind, Likeness, Measures, compare, measure};
pub use prose::{BODY, Prose};
pub use signature::Signature;

use serde::Deserialize;

/// The bars, all configurable. What is below all of them is no twin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Share of common triples (Jaccard) from which two texts are near, whoever applies.
    pub near_from: f32,
    /// Share of the shorter text's triples (containment) from which it is taken for a part of the other.
    pub contained_from: f32,
    /// Cosine of terms from which texts of the same enterprise tell one technology.
    pub same_enterprise_from: f32,
    /// The same for two companies of one house.
    pub sister_from: f32,
    /// The same for two enterprises that have nothing to do with each other.
    pub other_enterprise_from: f32,
    /// Geometric mean of the cosine and of the share of common words, from which texts of the same enterprise tell one technology.
    pub same_enterprise_broad_from: f32,
    /// The same for two companies of one house.
    pub sister_broad_from: f32,
    /// The same for two enterprises that have nothing to do with each other.
    pub other_enterprise_broad_from: f32,
    /// Mean plainness (half units of `config/dedupe/rarity.txt`) below which a clause is boiler-plate. Stored signatures depend on it:
    /// make them again after a change.
    pub plain_below: f32,
    /// Entries read of one posting.
    pub postings_read: usize,
    /// Topics compared in full with one.
    pub compared: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            near_from: 0.35,
            contained_from: 0.6,
            same_enterprise_from: 0.25,
            sister_from: 0.28,
            other_enterprise_from: 0.3,
            same_enterprise_broad_from: 0.114,
            sister_broad_from: 0.15,
            other_enterprise_broad_from: 0.2,
            plain_below: 24.0,
            postings_read: 64,
            compared: 64,
        }
    }
}

/// A topic made ready: its text, for evidence, and its signature.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub prose: Prose,
    pub signature: Signature,
}

impl Prepared {
    /// From the fields of a topic by key (`topic_title`, `applicant`, `uscc`, [`BODY`]); missing ones are empty.
    pub fn of<'a>(text: impl Fn(&str) -> &'a str, settings: &Settings) -> Self {
        let prose = Prose::of(&text, settings.plain_below);
        let signature = Signature::of(&prose, Applicant::of(text("applicant"), text("uscc")));
        Self { prose, signature }
    }
}
