//! Words that bound a value or tell a change: 不低于, 达到, 提高, 以上.

use super::{Bound, Change, Text};

/// Before the number, longest first where one ends with another. Signs and words are looked for in this order.
const BEFORE: &[(&str, Bound)] = &[
    (">=", Bound::AtLeast),
    ("≥", Bound::AtLeast),
    ("≧", Bound::AtLeast),
    ("⩾", Bound::AtLeast),
    ("<=", Bound::AtMost),
    ("≤", Bound::AtMost),
    ("≦", Bound::AtMost),
    ("⩽", Bound::AtMost),
    (">", Bound::Over),
    ("<", Bound::Under),
    ("≈", Bound::About),
    ("=", Bound::Exact),
    ("不得低于", Bound::AtLeast),
    ("不得少于", Bound::AtLeast),
    ("不低于", Bound::AtLeast),
    ("不小于", Bound::AtLeast),
    ("不少于", Bound::AtLeast),
    ("不短于", Bound::AtLeast),
    ("不弱于", Bound::AtLeast),
    ("大于等于", Bound::AtLeast),
    ("大于或等于", Bound::AtLeast),
    ("高于等于", Bound::AtLeast),
    ("至少为", Bound::AtLeast),
    ("至少", Bound::AtLeast),
    ("不得超过", Bound::AtMost),
    ("不得高于", Bound::AtMost),
    ("不得大于", Bound::AtMost),
    ("不高于", Bound::AtMost),
    ("不大于", Bound::AtMost),
    ("不超过", Bound::AtMost),
    ("不多于", Bound::AtMost),
    ("不长于", Bound::AtMost),
    ("小于等于", Bound::AtMost),
    ("小于或等于", Bound::AtMost),
    ("低于等于", Bound::AtMost),
    ("最多", Bound::AtMost),
    ("至多", Bound::AtMost),
    ("降低到", Bound::AtMost),
    ("降低至", Bound::AtMost),
    ("下降到", Bound::AtMost),
    ("下降至", Bound::AtMost),
    ("减少到", Bound::AtMost),
    ("减少至", Bound::AtMost),
    ("缩短到", Bound::AtMost),
    ("缩短至", Bound::AtMost),
    ("压缩到", Bound::AtMost),
    ("压缩至", Bound::AtMost),
    ("低至", Bound::AtMost),
    ("降至", Bound::AtMost),
    ("降到", Bound::AtMost),
    ("减至", Bound::AtMost),
    ("控制在", Bound::AtMost),
    ("控制到", Bound::AtMost),
    ("提高到", Bound::AtLeast),
    ("提高至", Bound::AtLeast),
    ("提升到", Bound::AtLeast),
    ("提升至", Bound::AtLeast),
    ("增加到", Bound::AtLeast),
    ("增加至", Bound::AtLeast),
    ("延长到", Bound::AtLeast),
    ("延长至", Bound::AtLeast),
    ("增至", Bound::AtLeast),
    ("升至", Bound::AtLeast),
    ("达到", Bound::AtLeast),
    ("可达", Bound::AtLeast),
    ("达", Bound::AtLeast),
    ("优于", Bound::BetterThan),
    ("好于", Bound::BetterThan),
    ("大于", Bound::Over),
    ("高于", Bound::Over),
    ("多于", Bound::Over),
    ("长于", Bound::Over),
    ("超过", Bound::Over),
    ("突破", Bound::Over),
    ("小于", Bound::Under),
    ("低于", Bound::Under),
    ("少于", Bound::Under),
    ("不足", Bound::Under),
    ("短于", Bound::Under),
    ("等于", Bound::Exact),
    ("约为", Bound::About),
    ("大约", Bound::About),
    ("约", Bound::About),
    ("接近", Bound::About),
    ("为", Bound::Exact),
];

/// Behind the unit.
const BEHIND: &[(&str, Bound)] = &[
    ("及以上", Bound::AtLeast),
    ("及以下", Bound::AtMost),
    ("以上", Bound::AtLeast),
    ("以下", Bound::AtMost),
    ("以内", Bound::AtMost),
    ("之内", Bound::AtMost),
    ("左右", Bound::About),
    ("上下", Bound::About),
];

const CHANGES: &[(&str, Change)] = &[
    ("提高", Change::Rise),
    ("提升", Change::Rise),
    ("增长", Change::Rise),
    ("增加", Change::Rise),
    ("上升", Change::Rise),
    ("改善", Change::Rise),
    ("延长", Change::Rise),
    ("降低", Change::Fall),
    ("下降", Change::Fall),
    ("减少", Change::Fall),
    ("减小", Change::Fall),
    ("缩短", Change::Fall),
    ("节约", Change::Fall),
    ("节省", Change::Fall),
];

/// Words that may stand between a comparator or change and the number.
const FILLERS: &[&str] = &["了", "约", "幅度", "覆盖", "累计", "到"];

/// What stands before a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lead {
    pub bound: Option<Bound>,
    pub change: Change,
    /// Where the wording begins.
    pub from: usize,
}

/// The comparator and the change before a place.
pub fn lead(text: &Text, place: usize) -> Lead {
    let mut from = text.skip_blanks_back(place);
    let mut lead = Lead { bound: None, change: Change::None, from: place };
    let mut filled = 0;
    loop {
        if lead.bound.is_none_or(|bound| bound == Bound::About)
            && let Some((word, bound)) = BEFORE.iter().find(|(word, _)| text.ends_with(from, word))
        {
            // 提高约20%: the change stands farther left; 至少约20%: the harder bound wins.
            lead.bound = Some(*bound);
            from = text.skip_blanks_back(from - word.chars().count());
            lead.from = from;
            // 提高不低于20% is a change, 提高到20% a state: only a bound that is no change goes on looking for one.
            if BEFORE_STATE.contains(word) {
                break;
            }
            continue;
        }
        if let Some((word, change)) = CHANGES.iter().find(|(word, _)| text.ends_with(from, word)) {
            lead.change = *change;
            lead.from = from - word.chars().count();
            break;
        }
        let Some(filler) = FILLERS.iter().find(|word| filled < 2 && text.ends_with(from, word)) else { break };
        from = text.skip_blanks_back(from - filler.chars().count());
        filled += 1;
    }
    lead
}

/// Bounds that are built from a change and name the state it leads to.
const BEFORE_STATE: &[&str] = &[
    "提高到",
    "提高至",
    "提升到",
    "提升至",
    "增加到",
    "增加至",
    "延长到",
    "延长至",
    "降低到",
    "降低至",
    "下降到",
    "下降至",
    "减少到",
    "减少至",
    "缩短到",
    "缩短至",
    "压缩到",
    "压缩至",
];

/// The comparator behind a place, with the place behind it.
pub fn trail(text: &Text, place: usize) -> Option<(Bound, usize)> {
    let place = text.skip_blanks(place);
    BEHIND.iter().find(|(word, _)| text.starts_with(place, word)).map(|(word, bound)| (*bound, place + word.chars().count()))
}

/// Symbols of indicators that go without a unit, longest first: Ra0.8, IP67, SIL3, pH 6.5.
const SYMBOLS: &[&str] = &["ASIL", "SIL", "Ra", "Rz", "Rq", "IP", "HRC", "HRB", "HRA", "HBW", "HV", "HB", "pH", "PH", "ph", "IK"];

/// The symbol that ends before a place.
pub fn symbol(text: &Text, place: usize) -> Option<(&'static str, usize)> {
    let place = text.skip_blanks_back(place);
    let symbol = SYMBOLS.iter().find(|symbol| text.ends_with(place, symbol))?;
    let from = place - symbol.chars().count();
    (!text.before(from).is_ascii_alphanumeric()).then_some((*symbol, from))
}
