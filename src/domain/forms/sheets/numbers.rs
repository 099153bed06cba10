//! Numbers and dates of cells as text, the way the sender sees them: whole numbers without a fraction, phones and codes in
//! full, no binary noise.

use super::building::Content;

/// From this on a whole number has 16 digits, one more than spreadsheets keep.
const ROUNDED_FROM: f64 = 1e15;
/// Beyond this no code, phone or sum of money is written; the short form is kept.
const WHOLE_MAX: f64 = 1e21;

/// A number cell.
pub(super) fn number(value: f64) -> Content {
    if !value.is_finite() {
        return Content::default();
    }
    // Spreadsheets keep and show 15 significant digits; what a float holds beyond them is noise.
    let shown: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let whole = shown.fract() == 0.0 && shown.abs() < WHOLE_MAX;
    let text = format!("{}", shown + 0.0);
    Content { text, rounded: whole && shown.abs() >= ROUNDED_FROM, uncomputed: false }
}

/// A number shown as a percentage.
pub(super) fn percentage(value: f64) -> Content {
    let mut content = number(value * 100.0);
    content.text.push('%');
    content
}

/// A moment as a spreadsheet keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// A date cell: ISO, or in Chinese where the cell's number format is Chinese (`yyyy"年"m"月"`).
pub(super) fn moment(moment: Moment, format: &str) -> Content {
    let Moment { year, month, day, hour, minute, second } = moment;
    let time = match (hour, minute, second) {
        (0, 0, 0) => String::new(),
        (_, _, 0) => format!(" {hour:02}:{minute:02}"),
        _ => format!(" {hour:02}:{minute:02}:{second:02}"),
    };
    let chinese = format.contains('年');
    let text = match (chinese, format.contains('日')) {
        (true, true) => format!("{year}年{month}月{day}日{time}"),
        (true, false) => format!("{year}年{month}月"),
        (false, _) => format!("{year:04}-{month:02}-{day:02}{time}"),
    };
    Content::text(text)
}

/// The Chinese date formats that Excel knows by number alone (ECMA-376 part 1, 18.8.30, zh-cn).
pub(super) fn built_in_chinese(id: u32) -> Option<&'static str> {
    match id {
        31 => Some("年日"),
        27 | 36 | 50 | 52 | 57 => Some("年"),
        _ => None,
    }
}

/// A time without a date; `days` is a fraction of a day.
pub(super) fn time_of_day(days: f64) -> Content {
    let seconds = (days * 86_400.0).round();
    if !(0.0..=1e9).contains(&seconds) {
        return number(days);
    }
    let (hours, minutes, seconds) = ((seconds / 3600.0).floor(), (seconds / 60.0).floor() % 60.0, seconds % 60.0);
    Content::text(if seconds == 0.0 { format!("{hours:02}:{minutes:02}") } else { format!("{hours:02}:{minutes:02}:{seconds:02}") })
}

/// An ISO date as OpenDocument and SpreadsheetML write it: midnight loses its time, `T` becomes a space.
pub(super) fn iso_date(text: &str) -> String {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let time = time.split(['.', 'Z', '+']).next().unwrap_or_default();
    match time {
        "" | "00:00:00" | "00:00" => date.to_owned(),
        time => format!("{date} {}", time.strip_suffix(":00").filter(|short| short.contains(':')).unwrap_or(time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_and_sums_are_whole() {
        assert_eq!(number(13_900_001_234.0).text, "13900001234");
        assert_eq!(number(-0.0).text, "0");
        assert_eq!(number(1200.5).text, "1200.5");
        assert_eq!(number(0.1 + 0.2).text, "0.3");
        assert_eq!(number(f64::NAN).text, "");
    }

    #[test]
    fn a_code_of_18_digits_is_known_as_rounded() {
        let code = number(912_201_001_234_567_890.0);
        assert_eq!(code.text, "912201001234568000");
        assert!(code.rounded);
        assert!(!number(999_999_999_999_999.0).rounded);
    }

    #[test]
    fn dates_follow_the_format_of_the_cell() {
        let day = Moment { year: 2024, month: 8, day: 5, hour: 0, minute: 0, second: 0 };
        assert_eq!(moment(day, "yyyy/m/d").text, "2024-08-05");
        assert_eq!(moment(day, "yyyy\"年\"m\"月\"d\"日\"").text, "2024年8月5日");
        assert_eq!(moment(day, "yyyy\"年\"m\"月\"").text, "2024年8月");
        assert_eq!(iso_date("2024-08-05T00:00:00"), "2024-08-05");
        assert_eq!(iso_date("2024-08-05T14:30:00.000"), "2024-08-05 14:30");
        assert_eq!(time_of_day(0.5).text, "12:00");
    }
}
