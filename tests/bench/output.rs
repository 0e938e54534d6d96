//! Tables on standard output, progress on standard error.

use std::io::{self, IsTerminal, Write};

/// A Markdown table with aligned columns. The first column is aligned left, all other columns right.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Self { rows: vec![head] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.rows[0].len(), "{cells:?}");
        self.rows.push(cells);
    }

    pub(crate) fn print(&self) {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
            if number == 0 {
                let rules = widths.iter().enumerate().map(|(column, &width)| match column {
                    0 => "-".repeat(width),
                    // The width of a column with empty cells is 0.
                    _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
                });
                println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        }
        println!();
    }
}

/// Prints the title of a part and a line that describes it.
pub(crate) fn title(title: &str, what: &str) {
    println!("## {title}\n\n{what}\n");
}

/// A figure with at most two decimals; a dash for NaN.
pub(crate) fn figure(figure: f64) -> String {
    if figure.is_nan() {
        return "–".to_owned();
    }
    thousands(&match figure {
        ..9.95 => format!("{figure:.2}"),
        ..99.5 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    })
}

/// A number with commas between thousands.
pub(crate) fn thousands(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let digits = whole.as_bytes().rchunks(3).rev();
    let groups: Vec<&str> = digits.map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",") + rest
}

/// The progress of a part: a line that is overwritten on a terminal, otherwise one line for the whole part.
pub(crate) struct Progress {
    part: &'static str,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn begin(part: &'static str) -> Self {
        let is_terminal = io::stderr().is_terminal();
        if !is_terminal {
            eprintln!("{part}");
        }
        Self { part, is_terminal }
    }

    pub(crate) fn show(&self, what: &str) {
        if self.is_terminal {
            eprint!("\r\x1b[K{}: {what}", self.part);
            let _ = io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }
}
