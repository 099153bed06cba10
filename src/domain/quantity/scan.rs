//! One walk over a text: at each number, what stands before and behind it decides whether it is a quantity.

use super::{
    Bound, Change, Figure, Number, Quantity, Text, Tolerance,
    mask::mask,
    number_at,
    unit::{Unit, unit_at},
    wording::{self, Lead},
};

/// Between the two ends of a range.
const RANGE: &str = "~～—–-至到∼〜";
/// Words for a minus.
const BELOW_ZERO: [&str; 2] = ["零下", "负"];
/// Before a figure that is no quantity: 第3代, 表2, 图1.
const ORDINAL: &str = "第表图";

/// Every quantity, in order.
pub fn scan(text: &Text) -> Vec<Quantity> {
    let masked = mask(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if masked.get(at).copied().unwrap_or(false) {
            at += 1;
            continue;
        }
        let Some((number, negative)) = signed(text, at) else {
            at += 1;
            continue;
        };
        let candidate = Candidate::read(text, at, number, negative, &masked);
        at = candidate.end().max(at + 1);
        found.extend(candidate.judged(text));
    }
    found
}

/// A number of digits that no letter, ordinal, date or standard makes a name of.
pub fn has_plain_number(text: &Text) -> bool {
    let masked = mask(text);
    (0..text.len()).any(|at| {
        let before = text.before(at);
        let free = !masked.get(at).copied().unwrap_or(false) && !before.is_ascii_alphanumeric() && !matches!(before, '.' | '-');
        free && !ORDINAL.contains(before) && text.at(at).is_ascii_digit() && plain_end(text, at)
    })
}

/// Behind the digits no letter follows (5G, 3D).
fn plain_end(text: &Text, at: usize) -> bool {
    number_at(text, at).is_some_and(|number| !number.padded && !text.at(number.end).is_ascii_alphabetic())
}

/// The number that begins here and is not the tail of a word; whether it is below zero.
fn signed(text: &Text, at: usize) -> Option<(Number, bool)> {
    let before = text.before(at);
    if before.is_ascii_digit() || (before == '.' && text.before(at - 1).is_ascii_digit()) {
        return None;
    }
    let number = number_at(text, at)?;
    let minus = before == '-' && !text.before(at - 1).is_ascii_alphanumeric() && text.before(at - 1) != ')';
    let in_words = BELOW_ZERO.iter().any(|word| text.ends_with(at, word));
    Some((number, minus || in_words))
}

/// A number with all that belongs to it.
struct Candidate {
    lead: Lead,
    symbol: Option<&'static str>,
    figure: Figure,
    first: Number,
    tolerance: Option<Tolerance>,
    unit: Option<Unit>,
    /// An end of a range carries a unit of its own: -40℃～85℃.
    trail: Option<Bound>,
    from: usize,
    end: usize,
}

impl Candidate {
    fn read(text: &Text, at: usize, first: Number, negative: bool, masked: &[bool]) -> Self {
        let value = if negative { -first.value } else { first.value };
        let mut from = if text.before(at) == '-' && negative || text.before(at) == '+' { at - 1 } else { at };
        if let Some(word) = BELOW_ZERO.iter().find(|word| text.ends_with(at, word)) {
            from = at - word.chars().count();
        }
        let deviation = deviation_sign(text, text.skip_blanks_back(at));
        if let Some(sign) = deviation {
            from = sign;
        }
        let symbol_before = wording::symbol(text, from);
        let lead_at = symbol_before.map_or(from, |(_, from)| from);
        // Ra≤0.8 has its comparator behind the symbol and is found as one without.
        let mut lead = wording::lead(text, lead_at);
        if lead.bound.is_none() && symbol_before.is_none() {
            lead = wording::lead(text, from);
        }
        // Ra≤0.8: the symbol stands before the comparator.
        let symbol = symbol_before.map(|(symbol, _)| symbol).or_else(|| {
            let bounded = lead.bound.is_some() && lead.change == Change::None;
            wording::symbol(text, lead.from).filter(|_| bounded).map(|(symbol, _)| symbol)
        });
        let mut this = Self {
            from: lead.from.min(from),
            lead,
            symbol,
            figure: if deviation.is_some() { Figure::Deviation(value.abs()) } else { Figure::One(value) },
            first,
            tolerance: None,
            unit: first.share.map(|unit| Unit { text: unit.to_owned(), end: first.end, weak: false }),
            trail: None,
            end: first.end,
        };
        if this.unit.is_none() {
            this.take_unit(text);
            this.take_range_or_ratio(text, value, masked);
        }
        this.take_tolerance(text);
        if let Some((bound, end)) = wording::trail(text, this.end) {
            this.trail = Some(bound);
            this.end = end;
        }
        this
    }

    fn end(&self) -> usize {
        self.end
    }

    fn take_unit(&mut self, text: &Text) {
        // An inch sign or a minute's sign after a bare number closes a quotation as often.
        if let Some(unit) = unit_at(text, self.end) {
            self.end = unit.end;
            self.unit = Some(unit);
        }
    }

    fn take_range_or_ratio(&mut self, text: &Text, value: f64, masked: &[bool]) {
        let sign = text.skip_blanks(self.end);
        let next = text.skip_blanks(sign + 1);
        if matches!(text.at(sign), ':' | '∶' | '：') && self.unit.is_none() {
            if let Some(other) = number_at(text, next).filter(|other| !other.chinese && !self.first.chinese) {
                self.figure = Figure::Ratio(value, other.value);
                self.end = other.end;
            }
            return;
        }
        let unit_is_plain = self.unit.as_ref().is_none_or(|unit| !unit.weak || !text.at(sign).is_ascii_alphanumeric());
        if !RANGE.contains(text.at(sign)) || text.at(sign) == '\0' || !unit_is_plain || masked.get(next).copied().unwrap_or(false) {
            return;
        }
        let (number_from, negative) = match text.at(next) {
            '-' => (next + 1, true),
            '+' => (next + 1, false),
            _ => (next, false),
        };
        let Some(other) = number_at(text, number_from).filter(|other| !other.padded && other.share.is_none()) else { return };
        let mut high = if negative { -other.value } else { other.value };
        let mut low = value;
        let mut end = other.end;
        let unit = unit_at(text, other.end);
        // 循环2000次至300次 of two things: both ends must be of one kind.
        if let (Some(one), Some(two)) = (&self.unit, &unit)
            && one.text != two.text
        {
            return;
        }
        if let Some(unit) = &unit {
            end = unit.end;
        }
        // 3-5万吨: the multiple belongs to both ends.
        if other.multiple && !self.first.multiple && self.unit.is_none() && low < 10_000.0 {
            let factor = factor_of(text, other);
            low *= factor;
            high = if negative { -other.value } else { other.value };
        }
        if self.unit.is_none() && unit.is_none() && high <= low {
            return;
        }
        self.figure = Figure::Range(low, high);
        self.end = end;
        self.unit = unit.or_else(|| self.unit.take());
    }

    fn take_tolerance(&mut self, text: &Text) {
        if matches!(self.figure, Figure::Deviation(_) | Figure::Ratio(..)) {
            return;
        }
        let at = text.skip_blanks(self.end);
        let Some(length) = ["±", "+/-", "﹢/-"].iter().find(|sign| text.starts_with(at, sign)).map(|sign| sign.chars().count()) else {
            return;
        };
        let Some(number) = number_at(text, text.skip_blanks(at + length)) else { return };
        self.end = number.end;
        let unit = unit_at(text, number.end);
        if let Some(unit) = &unit {
            self.end = unit.end;
        }
        let unit_text = unit.as_ref().map_or("", |unit| unit.text.as_str());
        let tolerance_unit = if self.unit.is_some() { unit_text.to_owned() } else { String::new() };
        if self.unit.is_none() {
            self.unit = unit;
        } else if self.unit.as_ref().is_some_and(|own| own.text == tolerance_unit) {
            self.tolerance = Some(Tolerance { value: number.value, unit: String::new() });
            return;
        }
        self.tolerance = Some(Tolerance { value: number.value, unit: tolerance_unit });
    }

    /// A quantity, or nothing: a bare number, a name's number, an ordinal.
    fn judged(self, text: &Text) -> Option<Quantity> {
        let before = text.before(self.from);
        let bounded = self.lead.bound.is_some() || self.lead.change != Change::None || self.trail.is_some();
        let weak_unit = self.unit.as_ref().is_none_or(|unit| unit.weak);
        let has_range = matches!(self.figure, Figure::Range(..) | Figure::Ratio(..) | Figure::Deviation(_)) || self.tolerance.is_some();
        if ORDINAL.contains(before) || self.first.padded && !bounded {
            return None;
        }
        // T800, Rg3, L3级, CO2: a letter right before the number makes a name of it, unless the letter is an indicator's symbol.
        let current = ["AC", "DC"].iter().any(|kind| text.ends_with(self.from, kind))
            && self.unit.as_ref().is_some_and(|unit| unit.text.ends_with('V'));
        let named =
            !current && before.is_ascii_alphabetic() || (before == '-' && text.ends_with(self.from, "-") && is_name(text, self.from));
        if named && self.symbol.is_none() && self.lead.bound.is_none() {
            return None;
        }
        if self.first.chinese && !self.chinese_is_clear(bounded) {
            return None;
        }
        let accepted = !weak_unit || self.symbol.is_some() || (bounded && self.states_a_value()) || has_range;
        if !accepted {
            return None;
        }
        let bound = self.lead.bound.filter(|bound| *bound != Bound::About).or(self.trail).or(self.lead.bound).unwrap_or_default();
        Some(Quantity {
            change: self.lead.change,
            bound,
            figure: self.figure,
            tolerance: self.tolerance,
            unit: self.unit.map(|unit| unit.text).or_else(|| self.symbol.map(str::to_owned)).unwrap_or_default(),
            from: self.from,
            to: self.end,
        })
    }

    /// 分为3 is a bound by its word and no value; a sign or a comparison is one.
    fn states_a_value(&self) -> bool {
        !self.first.chinese || self.unit.is_some()
    }

    /// 三元, 一体化, 双电机 are words: a Chinese numeral counts with a comparator, as a share, or when it is built with 万 or 亿.
    fn chinese_is_clear(&self, bounded: bool) -> bool {
        let grade = self.unit.as_ref().is_some_and(|unit| unit.text == "级");
        self.first.share.is_some() || (self.unit.is_some() && !grade && (bounded || self.first.multiple))
    }
}

/// ± right before a number.
fn deviation_sign(text: &Text, at: usize) -> Option<usize> {
    if text.before(at) == '±' {
        // 34±0.5: the sign belongs to the number before it, and that number has taken it.
        return Some(at - 1);
    }
    text.ends_with(at, "+/-").then(|| at - 3)
}

/// EN-45545, CR-450: letters before the hyphen.
fn is_name(text: &Text, hyphen_end: usize) -> bool {
    hyphen_end.checked_sub(1).is_some_and(|hyphen| text.before(hyphen).is_ascii_alphabetic())
}

/// 1e4 or 1e8: what the written multiple of a number was.
fn factor_of(text: &Text, number: Number) -> f64 {
    let behind = text.plain(number.end.saturating_sub(2), number.end);
    match (behind.contains('亿'), behind.contains('万')) {
        (true, _) => 1e8,
        (_, true) => 1e4,
        _ => 1.0,
    }
}
