//! Table and model together: one share for each division, the best first, and what speaks for it.

use std::collections::BTreeMap;

use super::{BelowMargin, Candidate, Divisions, Draft, Lexicon, Model, Route, RoutedBy, Tally, features, model::Known, title::Parts};

/// Evidence strings of one route.
const EVIDENCE_MAX: usize = 8;
/// Of these, from the model.
const REASONS_MAX: usize = 3;
/// Points of the table below which it says nothing.
const SIGNAL_MIN: f64 = 0.6;
/// Known features below which the model says nothing.
const KNOWN_MIN: usize = 3;
/// Share (0 to 1) a GB code's division must have by the words for the code to be consistent with them …
const CONSISTENT_SHARE: f64 = 0.02;
/// … or part of the table's best points.
const CONSISTENT_POINTS: f64 = 0.2;
/// How far a consistent code lifts its division above the best other one, as a logit.
const CODE_LIFT: f64 = 2.5;
/// Logit of "none of them" for a table that speaks alone: few points give a low confidence.
const DOUBT_POINTS: f64 = 2.0;

/// Scores of every division, as logits.
type Scores<'a> = BTreeMap<&'a str, f64>;

impl Divisions {
    /// Routes one topic by its title, its text and its GB/T 4754 code.
    #[must_use]
    pub fn route(&self, topic: &Draft) -> Route {
        let parts = Parts::of(topic.text("topic_title"));
        let tally = self.lexicon.get_or_init(|| Lexicon::of(self)).weigh(topic, &parts);
        let model = self.model();
        let features = model.as_ref().map(|_| features::of(topic, &parts)).unwrap_or_default();
        let known = model.as_ref().map(|model| model.known(&features)).unwrap_or_default();
        let words = self.by_words(&known, &tally, model.as_deref());
        let (scores, notes) = self.with_code(topic, words, &tally);
        let mut route = self.chosen(&shares(&scores));
        route.rules_version.clone_from(&self.version);
        route.model_version = model.as_ref().map(|model| model.version().to_owned()).unwrap_or_default();
        let best = route.candidates.first().map(|candidate| candidate.division.clone()).unwrap_or_default();
        route.evidence.splice(0..0, notes);
        if route.routed_by != RoutedBy::Fallback {
            if self.table_says(&tally) != Some(best.as_str()) && model.is_some() {
                route.routed_by = RoutedBy::Model;
            }
            route.evidence.extend(tally.evidence_for(&best, EVIDENCE_MAX - REASONS_MAX));
            let reasons = model.as_ref().map(|model| model.reasons(&known, &best, REASONS_MAX)).unwrap_or_default();
            route.evidence.extend(reasons.into_iter().map(|reason| format!("模型：{reason}")));
        }
        if route.division == self.fallback && best != self.fallback {
            route.routed_by = RoutedBy::Fallback;
        }
        route
    }

    /// What the words say, `None` where they say nothing.
    fn by_words(&self, known: &[Known<'_>], tally: &Tally<'_>, model: Option<&Model>) -> Option<Scores<'_>> {
        let points = |id: &str| tally.points.get(id).copied().unwrap_or(0.0);
        let best = tally.points.values().copied().fold(0.0, f64::max);
        let ids = self.entries.iter().map(|division| division.id.as_str());
        let table: Scores<'_> = ids.map(|id| (id, self.router.table_weight * points(id).ln_1p())).collect();
        let Some((scores, known)) = model.map(|model| model.scores(known)) else {
            return (best >= SIGNAL_MIN).then(|| alone(table));
        };
        if best < SIGNAL_MIN && known < KNOWN_MIN {
            return None;
        }
        let lowest = scores.values().copied().fold(0.0, f64::min);
        let both: Scores<'_> = table
            .into_iter()
            .filter(|(id, points)| *points > 0.0 || scores.contains_key(id))
            .map(|(id, points)| {
                let own = scores.get(id).copied().unwrap_or(lowest);
                (id, points + self.router.model_weight * own)
            })
            .collect();
        let sure_enough = best >= SIGNAL_MIN || shares(&both).first().is_some_and(|(_, share)| *share >= self.router.model_alone_share);
        sure_enough.then_some(both)
    }

    /// A GB code that fits the words outweighs them; one that contradicts them is only noted; where they are silent it decides.
    fn with_code<'a>(&'a self, topic: &Draft, words: Option<Scores<'a>>, tally: &Tally<'_>) -> (Scores<'a>, Vec<String>) {
        let coded = ["gb_code", "industry"].iter().find_map(|key| self.by_code(topic.text(key)));
        let Some((code, division)) = coded else { return (words.unwrap_or_default(), Vec::new()) };
        let Some(mut scores) = words else {
            return (Scores::from([(division, CODE_LIFT), ("", 0.0)]), vec![format!("{code} (gb_code)")]);
        };
        let best_points = tally.points.values().copied().fold(0.0, f64::max);
        let own_points = tally.points.get(division).copied().unwrap_or(0.0);
        let own_share = shares(&scores).iter().find(|(id, _)| *id == division).map_or(0.0, |(_, share)| *share);
        if own_share < CONSISTENT_SHARE && own_points < best_points * CONSISTENT_POINTS {
            return (scores, vec![format!("{code} (gb_code，与课题内容不一致)")]);
        }
        let best_other = scores.iter().filter(|(id, _)| **id != division).map(|(_, score)| *score).fold(f64::MIN, f64::max);
        let own = scores.entry(division).or_insert(0.0);
        *own = own.max(best_other) + CODE_LIFT;
        (scores, vec![format!("{code} (gb_code)")])
    }

    fn chosen(&self, shares: &[(&str, f64)]) -> Route {
        let mut best: Vec<(&str, f64)> = shares.iter().filter(|(id, _)| !id.is_empty()).copied().collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| self.order(a.0).cmp(&self.order(b.0))));
        let candidate = |(id, score): (&str, f64)| Candidate { division: id.to_owned(), score };
        let candidates: Vec<Candidate> = best.into_iter().take(3).map(candidate).collect();
        let (best, second) = (candidates.first().cloned(), candidates.get(1).cloned());
        let Some(best) = best else { return self.nowhere() };
        let gap = best.score - second.as_ref().map_or(0.0, |second| second.score);
        let mut route = Route {
            division: best.division,
            confidence: best.score,
            candidates,
            evidence: Vec::new(),
            routed_by: RoutedBy::Rule,
            joint: None,
            rules_version: String::new(),
            model_version: String::new(),
        };
        match (second, self.router.below_margin) {
            (Some(second), BelowMargin::Joint) if gap < self.router.margin => route.joint = Some(second.division),
            (Some(_), BelowMargin::Tech) if gap < self.router.margin => {
                route.division.clone_from(&self.fallback);
                route.evidence.push("两个处室难分，请人工确定 (margin)".to_owned());
            }
            _ => {}
        }
        route
    }

    /// Nothing is ever rejected for its field: without a signal a topic goes to the fallback.
    fn nowhere(&self) -> Route {
        Route {
            division: self.fallback.clone(),
            confidence: 0.0,
            candidates: vec![Candidate { division: self.fallback.clone(), score: 0.0 }],
            evidence: Vec::new(),
            routed_by: RoutedBy::Fallback,
            joint: None,
            rules_version: String::new(),
            model_version: String::new(),
        }
    }

    fn table_says<'a>(&self, tally: &Tally<'a>) -> Option<&'a str> {
        let best = tally.points.iter().max_by(|a, b| a.1.total_cmp(b.1).then_with(|| self.order(b.0).cmp(&self.order(a.0))))?;
        Some(best.0)
    }
}

/// A table that speaks without a model: squared points against a fixed doubt, as its weights were found.
fn alone(table: Scores<'_>) -> Scores<'_> {
    let mut scores: Scores<'_> = table.into_iter().filter(|(_, score)| *score > 0.0).map(|(id, score)| (id, 2.0 * score)).collect();
    scores.insert("", DOUBT_POINTS);
    scores
}

/// Logits to shares that add up to at most one, rounded down to four places, the largest first.
fn shares<'a>(scores: &Scores<'a>) -> Vec<(&'a str, f64)> {
    let largest = scores.values().copied().fold(f64::MIN, f64::max);
    let sum: f64 = scores.values().map(|score| (score - largest).exp()).sum();
    let share = |score: f64| (((score - largest).exp() / sum) * 10_000.0).floor() / 10_000.0;
    let mut shares: Vec<(&str, f64)> = scores.iter().map(|(id, score)| (*id, share(*score))).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}
