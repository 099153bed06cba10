//! How sure the router must be, and what it does when it is not: `[router]` of `config/divisions.toml`.

use serde::Deserialize;

/// What happens to a topic whose two best divisions lie too close together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BelowMargin {
    /// It goes to its best division, marked 会办 with the runner-up.
    Joint,
    /// It goes to the fallback division, where a person decides.
    Tech,
}

/// Settings of the router.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingSettings {
    /// Whether the trained text model speaks beside the table.
    pub model: bool,
    /// Least difference between the two best shares (0 to 1) for a topic to need no second division.
    pub margin: f64,
    pub below_margin: BelowMargin,
    /// Least share (0 to 1) with which the model alone, without a word of the table, may name a division.
    pub model_alone_share: f64,
    /// Weight of the model's scores in the joint score.
    pub model_weight: f64,
    /// Weight of the table's points (their logarithm) in the joint score.
    pub table_weight: f64,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self { model: true, margin: 0.25, below_margin: BelowMargin::Joint, model_alone_share: 0.3, model_weight: 1.0, table_weight: 1.0 }
    }
}

impl RoutingSettings {
    /// Every setting that makes no sense, in a sentence for the administrator.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for (name, share) in [("margin", self.margin), ("model_alone_share", self.model_alone_share)] {
            if !(0.0..=1.0).contains(&share) {
                mistakes.push(format!("router.{name}: {share} does not lie between 0 and 1"));
            }
        }
        for (name, weight) in [("model_weight", self.model_weight), ("table_weight", self.table_weight)] {
            if !(weight.is_finite() && weight >= 0.0) {
                mistakes.push(format!("router.{name}: {weight} is no weight of 0 or more"));
            }
        }
        mistakes
    }
}
