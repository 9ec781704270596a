//! Rows of text under headings, as wide as they need to be.
//! Exports `render`; `dash` and `seconds` for cells.
//! Used by commands that list things for people.
//! Start reading at `render`.

use model::printable;

pub use model::printable::seconds;

/// Columns end two spaces after their longest cell; the last one is never padded.
pub fn render(headings: &[&str], rows: &[Vec<String>]) -> String {
    // A cell is a text from anywhere; whatever it holds, it stays one cell in one line.
    let safe = |row: &Vec<String>| {
        row.iter()
            .map(|cell| printable::line(cell).into())
            .collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(safe).collect();
    let mut widths: Vec<usize> = headings
        .iter()
        .map(|heading| heading.chars().count())
        .collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    let head: Vec<String> = headings.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&head).chain(&rows) {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(cell.chars().count()).saturating_add(2),
            ));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A cell's text, or a dash where there is none.
pub fn dash(text: Option<&str>) -> String {
    let text = text.filter(|text| !text.is_empty());
    text.unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let rows = vec![
            vec!["key_1".into(), "a".into()],
            vec!["k…".into(), String::new()],
        ];
        assert_eq!(
            render(&["ID", "LABEL"], &rows),
            "ID     LABEL\nkey_1  a\nk…\n"
        );
    }
}
