//! Small bar charts for the digest: grey pictures that stay readable on a black-and-white printer, with Chinese labels. States are
//! told apart by pattern, and every bar has its number beside it.

use canvas::{Canvas, Pattern};

mod canvas;

/// One chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarChart {
    pub title: String,
    /// Names of the parts of a bar, in order; at most three.
    pub parts: Vec<String>,
    pub bars: Vec<Bar>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    pub label: String,
    /// One number for each part.
    pub values: Vec<u64>,
}

/// Bars drawn; the rest is summed up in one.
const BARS_MAX: usize = 12;
const WIDTH: usize = 720;
const ROW: usize = 30;
const MARGIN: usize = 12;
const LABEL_WIDTH: usize = 290;
const NUMBER_WIDTH: usize = 60;
const PATTERNS: [Pattern; 3] = [Pattern::Solid, Pattern::Striped, Pattern::Hollow];

impl BarChart {
    /// The same facts in words, for readers without pictures. A label that could not be drawn stands in the picture as its number.
    #[must_use]
    pub fn in_words(&self) -> String {
        let bars =
            self.bars.iter().enumerate().map(|(index, bar)| format!("{}.{} {}", index + 1, bar.label, bar.values.iter().sum::<u64>()));
        format!("{}：{}", self.title, bars.collect::<Vec<_>>().join("，"))
    }

    /// A PNG picture.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let bars = self.bounded();
        let legend_rows = usize::from(self.parts.len() > 1);
        let top = MARGIN + ROW * (1 + legend_rows);
        let mut canvas = Canvas::new(WIDTH, top + ROW * bars.len() + MARGIN);
        canvas.text(MARGIN, MARGIN, &self.title, WIDTH - 2 * MARGIN);
        if legend_rows > 0 {
            self.legend(&mut canvas);
        }
        let longest = bars.iter().map(|bar| bar.values.iter().sum::<u64>()).max().unwrap_or(1).max(1);
        let room = WIDTH - 2 * MARGIN - LABEL_WIDTH - NUMBER_WIDTH;
        for (row, bar) in bars.iter().enumerate() {
            let y = top + row * ROW;
            if !canvas.text(MARGIN, y + 2, &bar.label, LABEL_WIDTH - 10) {
                canvas.text(MARGIN, y + 2, &format!("({})", row + 1), LABEL_WIDTH - 10);
            }
            let mut x = MARGIN + LABEL_WIDTH;
            for (value, pattern) in bar.values.iter().zip(PATTERNS) {
                let length = scaled(*value, longest, room);
                canvas.bar(x, y + 5, length, ROW - 12, pattern);
                x += length;
            }
            canvas.text(x + 8, y + 2, &bar.values.iter().sum::<u64>().to_string(), NUMBER_WIDTH);
        }
        canvas.png()
    }

    fn legend(&self, canvas: &mut Canvas) {
        let mut x = MARGIN;
        for (part, pattern) in self.parts.iter().zip(PATTERNS) {
            canvas.bar(x, MARGIN + ROW + 5, 24, ROW - 14, pattern);
            canvas.text(x + 30, MARGIN + ROW, part, 150);
            x += 190;
        }
    }

    /// At most [`BARS_MAX`] bars, the last one for all that are left out.
    fn bounded(&self) -> Vec<Bar> {
        if self.bars.len() <= BARS_MAX {
            return self.bars.clone();
        }
        let (shown, rest) = self.bars.split_at(BARS_MAX - 1);
        let sum = |part: usize| rest.iter().filter_map(|bar| bar.values.get(part)).sum();
        let parts = self.bars.iter().map(|bar| bar.values.len()).max().unwrap_or(0);
        let others = Bar { label: format!("其他{}个", rest.len()), values: (0..parts).map(sum).collect() };
        shown.iter().cloned().chain([others]).collect()
    }
}

/// Pixels for a value; what is not nothing is seen.
fn scaled(value: u64, longest: u64, room: usize) -> usize {
    if value == 0 {
        return 0;
    }
    let room = u64::try_from(room).unwrap_or(u64::MAX);
    usize::try_from(value.saturating_mul(room) / longest.max(1)).unwrap_or(0).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(bars: usize) -> BarChart {
        let bar = |no: usize| Bar { label: format!("装备工业处{no}"), values: vec![no as u64, 3, 1] };
        BarChart {
            title: "全部课题按处室和状态".to_owned(),
            parts: ["材料齐全", "待补正", "疑似重复"].map(str::to_owned).to_vec(),
            bars: (0..bars).map(bar).collect(),
        }
    }

    #[test]
    fn a_chart_is_a_small_png_of_bounded_height() {
        for bars in [0, 1, 12, 500] {
            let png = chart(bars).png();
            assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xaeB`\x82"));
            assert!(png.len() < 20_000, "{}", png.len());
            let height = u32::from_be_bytes(png[20..24].try_into().unwrap());
            assert!(height <= 500);
        }
        if let Some(file) = std::env::var_os("SHOW_CHART") {
            std::fs::write(file, chart(9).png()).unwrap();
        }
    }

    #[test]
    fn a_label_that_cannot_be_drawn_stands_as_its_number_and_in_words_beside_the_picture() {
        let mut odd = chart(2);
        odd.bars[1].label = "\u{2A6A5}局".to_owned();
        assert!(odd.in_words().contains("2.\u{2A6A5}局 5"));
        assert_ne!(odd.png(), chart(2).png());
    }
}
