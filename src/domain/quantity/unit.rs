//! Units behind a number: SI with prefixes, those of the trades, Chinese ones, and compounds of them (`g/10min`, `W/(m·K)`, `个/km`).

use super::{
    Text,
    unit_names::{HAN, NO_UNIT, PREFIXED, PREFIXES, WEAK, WHOLE},
};

/// A unit found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// As written, in half width.
    pub text: String,
    pub end: usize,
    /// A single letter that is as often part of a name (5G, 4K, 3D, 3C): only with a comparator, range or tolerance is it a unit.
    pub weak: bool,
}

/// The unit behind a number that ends at a place.
#[must_use]
pub fn unit_at(text: &Text, place: usize) -> Option<Unit> {
    let from = text.skip_blanks(place);
    // ×10⁻⁶/℃: a unit that has only a lower half.
    let (first_end, weak) = if text.at(from) == '/' {
        (from, false)
    } else {
        let (end, weak) = atom(text, from)?;
        (end, weak)
    };
    let mut end = exponent(text, first_end);
    let mut parts = 1;
    while parts < 4 {
        let Some(next) = joined(text, end) else { break };
        end = next;
        parts += 1;
    }
    if first_end == from && end == from {
        return None;
    }
    // 万公里等效, 5A级: a Latin letter before 级 is a grade's name.
    if weak_grade(text, from, end) {
        return None;
    }
    let weak = weak && parts == 1;
    Some(Unit { text: text.plain(from, end), end, weak })
}

fn weak_grade(text: &Text, from: usize, end: usize) -> bool {
    text.at(from).is_ascii_alphabetic() && end == from + 1 && matches!(text.at(end), '级' | '型' | '类' | '区' | '座')
}

/// `/m³`, `/(m·K)`, `·m`, `每年`; the place behind it.
fn joined(text: &Text, place: usize) -> Option<usize> {
    match text.at(place) {
        '/' | '每' => {
            let open = usize::from(text.at(place + 1) == '(');
            let mut at = place + 1 + open;
            while text.at(at).is_ascii_digit() || text.at(at) == '.' {
                at += 1;
            }
            let mut end = exponent(text, denominator(text, at)?);
            if open == 1 {
                while matches!(text.at(end), '·' | '*' | '×' | '.') {
                    end = exponent(text, denominator(text, end + 1)?);
                }
                return (text.at(end) == ')').then_some(end + 1);
            }
            Some(end)
        }
        '·' | '*' | '•' | '⋅' | '∙' => {
            let (end, _) = atom(text, place + 1)?;
            Some(exponent(text, end))
        }
        // 2个百分点 is one unit already; N·m is written N.m as well.
        '.' if text.at(place + 1).is_ascii_alphabetic() => {
            let (end, _) = atom(text, place + 1)?;
            Some(exponent(text, end))
        }
        _ => None,
    }
}

/// Below the line anything goes that is a unit, and any one Chinese noun: 箱/班, 元/公里, mg/剂.
fn denominator(text: &Text, place: usize) -> Option<usize> {
    if let Some((end, _)) = atom(text, place) {
        return Some(end);
    }
    let letters = latin(text, place);
    if letters > place {
        return (letters - place <= 6).then_some(letters);
    }
    matches!(text.at(place), '\u{4E00}'..='\u{9FFF}').then_some(place + 1)
}

/// One unit without a line: the place behind it, and whether it is a weak one.
fn atom(text: &Text, place: usize) -> Option<(usize, bool)> {
    match text.at(place) {
        '%' if text.starts_with(place, "%RH") => return Some((place + 3, false)),
        '°' if matches!(text.at(place + 1), 'C' | 'F') => return Some((place + 2, false)),
        '%' | '‰' | '‱' | '°' | '℃' | '℉' | '″' | '′' | '"' | '\'' | 'Å' => return Some((place + 1, false)),
        _ => {}
    }
    let end = latin(text, place);
    if end > place {
        return latin_unit(text, place, end);
    }
    let word = HAN.iter().filter(|word| text.starts_with(place, word)).max_by_key(|word| word.chars().count())?;
    let end = place + word.chars().count();
    let is_other_word = NO_UNIT.iter().any(|(unit, next)| unit == word && text.starts_with(end, next));
    (!is_other_word).then_some((end, false))
}

fn latin(text: &Text, place: usize) -> usize {
    (place..place + 12).find(|at| !is_latin(text.at(*at))).unwrap_or(place + 12)
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'μ' | 'Ω')
}

fn latin_unit(text: &Text, place: usize, end: usize) -> Option<(usize, bool)> {
    let token = text.plain(place, end);
    if text.at(end) == '%' && WHOLE.contains(&format!("{}%", token.to_lowercase()).as_str()) {
        return Some((end + 1, false));
    }
    if text.starts_with(place, "cmH2O") || text.starts_with(place, "mmH2O") {
        return Some((place + 5, false));
    }
    // e⁻: electrons of an image sensor.
    if token == "e" && matches!(text.at(end), '⁻' | '-') {
        return Some((end + 1, false));
    }
    if is_unit(&token) {
        return Some((end, WEAK.contains(&token.as_str())));
    }
    // mgKOH/g, μgC/g, kgCO2: a mass or volume of something.
    let mass = ["mg", "μg", "ug", "kg", "ng", "mL", "ml", "mol", "mmol", "lg"].iter().find(|unit| token.starts_with(**unit));
    mass.filter(|unit| token.chars().nth(unit.chars().count()).is_some_and(|c| c.is_ascii_uppercase())).map(|_| (end, false))
}

fn is_unit(token: &str) -> bool {
    if PREFIXED.contains(&token) || WHOLE.contains(&token.to_lowercase().as_str()) {
        return true;
    }
    let mut rest = token.chars();
    rest.next().is_some_and(|first| PREFIXES.contains(first)) && PREFIXED.contains(&rest.as_str())
}

/// ², ³, ⁻¹, ^2, or a bare 2 or 3 behind a unit of length: m3, cm2.
fn exponent(text: &Text, place: usize) -> usize {
    let mut at = place;
    if text.at(at) == '^' {
        at += 1;
        if text.at(at) == '-' {
            at += 1;
        }
        while text.at(at).is_ascii_digit() {
            at += 1;
        }
        return at;
    }
    while matches!(text.at(at), '⁻' | '¹' | '²' | '³' | '⁰' | '⁴'..='⁹') {
        at += 1;
    }
    if at == place && text.before(place) == 'm' && matches!(text.at(place), '2' | '3') && !text.at(place + 1).is_ascii_alphanumeric() {
        return place + 1;
    }
    if at == place && text.at(place) == '-' && text.before(place).is_ascii_alphabetic() && text.at(place + 1) == '1' {
        let free = !text.at(place + 2).is_ascii_alphanumeric() && text.at(place + 2) != '.';
        return if free { place + 2 } else { place };
    }
    at
}
