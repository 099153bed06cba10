//! Many rows in few statements: in a few fixed sizes, so that the database prepares each statement once.

/// Rows of one statement, the most first.
const STEPS: [usize; 9] = [64, 32, 16, 12, 8, 6, 4, 2, 1];
/// Parameters of one statement. Giving them costs more than in proportion to their number.
const PARAMETERS_MAX: usize = 200;

/// Cuts rows of so many columns into statements.
pub(super) fn in_steps<T>(mut rows: &[T], columns: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let step = STEPS.into_iter().find(|step| *step <= rows.len() && (*step == 1 || step * columns <= PARAMETERS_MAX))?;
        let (part, rest) = rows.split_at(step);
        rows = rest;
        Some(part)
    })
}

/// `INSERT … VALUES ($1, $2), ($3, $4) …`: so many rows of so many columns, then what follows.
pub(super) fn insert(into: &str, columns: usize, rows: usize, then: &str) -> String {
    let lists: Vec<String> = (0..rows).map(|row| format!("({})", super::parameters(row * columns + 1, columns))).collect();
    format!("{into} VALUES {} {then}", lists.join(", "))
}

/// A list filled up to a number of values with what equals nothing (NULL), so that one statement serves for every length.
pub(super) fn filled_up<T: Copy>(list: &[T], count: usize) -> impl Iterator<Item = Option<T>> {
    (0..count).map(|at| list.get(at).copied())
}

#[cfg(test)]
mod tests {
    use super::{filled_up, in_steps, insert};

    #[test]
    fn every_row_stands_in_one_statement_in_its_order() {
        let rows: Vec<u32> = (0..75).collect();
        for (columns, lengths) in [(3, &[64, 8, 2, 1][..]), (14, &[12, 12, 12, 12, 12, 12, 2, 1])] {
            let parts: Vec<&[u32]> = in_steps(&rows, columns).collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), lengths);
            assert_eq!(parts.concat(), rows);
        }
        assert_eq!(in_steps(&rows, 1_000).count(), rows.len());
        assert_eq!(in_steps::<u32>(&[], 3).count(), 0);
    }

    #[test]
    fn a_short_list_is_filled_up_with_nothing() {
        assert_eq!(filled_up(&[7, 8], 4).collect::<Vec<_>>(), [Some(7), Some(8), None, None]);
    }

    #[test]
    fn parameters_are_numbered_through() {
        assert_eq!(insert("INSERT INTO t (a, b)", 2, 2, "RETURNING a"), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) RETURNING a");
    }
}
