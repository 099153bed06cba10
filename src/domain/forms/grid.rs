//! One table model for every format: a sheet, a Word table, an HTML table all become a [`Grid`].

/// A document as its reader saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    pub tables: Vec<Grid>,
    /// Text outside of tables, a paragraph each, in order.
    pub paragraphs: Vec<String>,
    /// What was left out for a limit, each a clause with the limit's figure.
    pub cuts: Vec<String>,
}

impl Document {
    /// Notes once what was left out.
    pub fn cut(&mut self, what: String) {
        if !self.cuts.contains(&what) {
            self.cuts.push(what);
        }
    }

    /// Notes that there are more sheets than are read.
    pub fn cut_sheets(&mut self, sheets_max: usize) {
        self.cut(format!("工作表（或表格）超过{sheets_max}个的上限，其后的没有读取"));
    }
}

/// A table with merged cells. Coordinates are absolute, zero-based.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    /// Sheet name, or `table 1` (counted in document order, nested tables included).
    pub name: String,
    pub kind: GridKind,
    /// A hidden sheet.
    pub hidden: bool,
    /// Row by row, left to right; a merged cell stands once, at its top left.
    pub cells: Vec<Cell>,
    /// Hidden rows and columns, ascending.
    pub hidden_rows: Vec<u32>,
    pub hidden_columns: Vec<u32>,
    /// Rows and columns have changed places: the sheet has a topic a column.
    pub transposed: bool,
    /// Rows or cells beyond the limits were left out; which limit, in Chinese.
    pub truncated: Option<String>,
}

impl Grid {
    /// The same table with rows and columns changed; places still name the original cells.
    #[must_use]
    pub fn turned(&self) -> Self {
        let turn = |cell: &Cell| Cell {
            row: cell.column,
            column: cell.row,
            row_span: cell.column_span,
            column_span: cell.row_span,
            ..cell.clone()
        };
        let mut cells: Vec<Cell> = self.cells.iter().map(turn).collect();
        cells.sort_by_key(|cell| (cell.row, cell.column));
        Self {
            cells,
            hidden_rows: self.hidden_columns.clone(),
            hidden_columns: self.hidden_rows.clone(),
            transposed: !self.transposed,
            ..self.clone()
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GridKind {
    /// Places are written `Sheet1!A5`.
    #[default]
    Sheet,
    /// Places are written `table 1 R3C2`.
    WordTable,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    pub row: u32,
    pub column: u32,
    pub row_span: u32,
    pub column_span: u32,
    /// Cleaned text, line breaks kept; placeholder texts are empty.
    pub text: String,
    /// A formula without a cached value.
    pub uncomputed: bool,
    /// A number of 16 digits or more that the spreadsheet has rounded.
    pub rounded: bool,
}
