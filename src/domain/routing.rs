//! Which industry division a topic belongs to (`domain.md` 3): the product to be developed decides. Data in `config/divisions.toml`.
//! Nothing is ever rejected for its field (R13): without a signal the topic goes to the fallback division.

use serde::{Deserialize, Serialize};

use super::reconcile::Draft;

/// The routing table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divisions {
    /// Division id that takes what no rule claims: `tech`.
    pub fallback: String,
    #[serde(rename = "division")]
    pub entries: Vec<Division>,
    /// Words that count only a little wherever they stand: 平台, 系统, 智能 …
    #[serde(default)]
    pub weak: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Division {
    pub id: String,
    /// 重大技术装备处.
    pub name: String,
    /// Where its queue letters go; empty: its topics are kept and administrators are told.
    #[serde(default)]
    pub mail: Vec<String>,
    /// Times of day of its queue letters, `09:00`, in the configured zone.
    #[serde(default)]
    pub queue_at: Vec<String>,
    /// GB/T 4754-2017 codes, 2–4 digits; the longest matching one decides.
    #[serde(default)]
    pub codes: Vec<String>,
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Endings of product names that point here: 药, 纤维, 芯片.
    #[serde(default)]
    pub products: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub division: String,
    /// Share of all signals, 0 to 1; the candidates' scores add up to at most 1.
    pub score: f64,
}

/// Who decided a route (`contract.md` section 4, `routed_by`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoutedBy {
    Rule,
    Model,
    Person,
    Twin,
    Fallback,
}

/// Where a topic goes and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub division: String,
    pub confidence: f64,
    /// Best first, at most three.
    pub candidates: Vec<Candidate>,
    /// `转向架 (title)`, `371 (gb_code)`.
    pub evidence: Vec<String>,
    pub routed_by: RoutedBy,
}

impl Divisions {
    #[must_use]
    pub fn division(&self, id: &str) -> Option<&Division> {
        self.entries.iter().find(|division| division.id == id)
    }

    /// Routes one topic.
    #[must_use]
    pub fn route(&self, topic: &Draft) -> Route {
        let _ = topic;
        Route {
            division: self.fallback.clone(),
            confidence: 0.0,
            candidates: Vec::new(),
            evidence: Vec::new(),
            routed_by: RoutedBy::Fallback,
        }
    }
}
