//! Quantified indicators in a text (R23): `≥95.5%`, `-40℃～85℃`, `不低于3万次`, `Ra0.8`, `10^5 CFU/g`, `提高20%以上`, `1:1000`.
//!
//! A number alone is no quantity: it needs a unit, a comparator, a tolerance, a range or the symbol of an indicator. Dates, numbers of
//! standards and designations (T800级, 5G, 304不锈钢) are none. The text is walked once from left to right; nothing backtracks.

use std::fmt;

mod items;
mod mask;
mod number;
mod scan;
mod text;
mod unit;
mod unit_names;
mod wording;

pub use number::{Number, number_at};
pub use text::Text;

/// How a value is bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// A plain figure, or `=`.
    #[default]
    Exact,
    /// ≥ 不低于 达到 以上
    AtLeast,
    /// ≤ 不超过 以内 以下
    AtMost,
    /// > 大于 超过
    Over,
    /// < 小于 低于
    Under,
    /// 优于: which way is better depends on what is measured.
    BetterThan,
    /// 约 左右 ≈
    About,
}

/// Whether the value is a state or a change: 提高20% is a rise by 20 %, 提高到95% is a state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change {
    #[default]
    None,
    Rise,
    Fall,
}

/// The figure itself, multiples (万, 亿, 10^5) worked in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    One(f64),
    /// Both ends, as written.
    Range(f64, f64),
    /// 1:1000
    Ratio(f64, f64),
    /// ±0.1: a permitted deviation and no value.
    Deviation(f64),
}

/// A permitted deviation behind a value: 34±0.5mL, 220V±10%.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    pub value: f64,
    /// `%` where it is a share of the value; empty: in the value's unit.
    pub unit: String,
}

/// One quantity of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    pub change: Change,
    pub bound: Bound,
    pub figure: Figure,
    pub tolerance: Option<Tolerance>,
    /// As written: `kW`, `次`, `g/10min`; the indicator's symbol (`Ra`, `IP`) where there is no unit; empty where there is neither.
    pub unit: String,
    /// First and last character in the text (the last not included).
    pub from: usize,
    pub to: usize,
}

/// An item of a parameter list that can be assessed: 峰值效率≥95.5%.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    /// The item as the sender wrote it, without its number in the list.
    pub text: String,
    /// At least one; places count within `text`.
    pub quantities: Vec<Quantity>,
}

/// The items of a list that hold a quantity, in order.
#[must_use]
pub fn indicators(text: &str) -> Vec<Indicator> {
    items::items(text)
        .into_iter()
        .flat_map(|item| {
            let quantities = quantities(&item);
            items::apart(&item, quantities)
        })
        .filter(|indicator| !indicator.quantities.is_empty())
        .collect()
}

/// Every quantity of a text, in order.
#[must_use]
pub fn quantities(text: &str) -> Vec<Quantity> {
    scan::scan(&Text::of(text))
}

/// The text holds a figure: a quantity, or at least a number that is no date, standard, designation or number of an item (国内60、国际100).
#[must_use]
pub fn has_figure(text: &str) -> bool {
    items::items(text).iter().any(|item| {
        let item = Text::of(item);
        !scan::scan(&item).is_empty() || scan::has_plain_number(&item)
    })
}

impl Quantity {
    /// The larger end of the figure: the value itself, the upper end of a range.
    #[must_use]
    pub fn largest(&self) -> f64 {
        match self.figure {
            Figure::One(value) | Figure::Deviation(value) => value,
            Figure::Range(one, other) | Figure::Ratio(one, other) => one.max(other),
        }
    }

    /// The smaller end of the figure.
    #[must_use]
    pub fn smallest(&self) -> f64 {
        match self.figure {
            Figure::One(value) => value,
            Figure::Deviation(value) => -value,
            Figure::Range(one, other) | Figure::Ratio(one, other) => one.min(other),
        }
    }
}

/// One spelling for every way to write it: `>= 95.5 %`, `-40..85 ℃`, `rise >= 20 %`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.change {
            Change::None => "",
            Change::Rise => "rise ",
            Change::Fall => "fall ",
        })?;
        f.write_str(match self.bound {
            Bound::Exact => "",
            Bound::AtLeast => ">= ",
            Bound::AtMost => "<= ",
            Bound::Over => "> ",
            Bound::Under => "< ",
            Bound::BetterThan => "better ",
            Bound::About => "~ ",
        })?;
        match self.figure {
            Figure::One(value) => write!(f, "{value}")?,
            Figure::Range(from, to) => write!(f, "{from}..{to}")?,
            Figure::Ratio(one, other) => write!(f, "{one}:{other}")?,
            Figure::Deviation(value) => write!(f, "±{value}")?,
        }
        if let Some(tolerance) = &self.tolerance {
            write!(f, " ±{}{}", tolerance.value, tolerance.unit)?;
        }
        if !self.unit.is_empty() {
            write!(f, " {}", self.unit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
