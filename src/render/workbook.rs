//! Workbooks (XLSX): sheets of texts, numbers, times and lengths that can be reckoned with.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_xlsxwriter::{DocProperties, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::table::harmless;
use crate::types::Zone;

/// What a cell of a workbook holds at the most.
const LONGEST: usize = 32_767;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nothing,
    Text(String),
    Number(f64),
    Date(Date),
    /// A clock time of the sheet's zone.
    Time(Timestamp),
    Length(Duration),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn time(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Nothing, Self::Time)
    }

    pub(super) fn length(length: Option<Duration>) -> Self {
        length.map_or(Self::Nothing, Self::Length)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}

/// A sheet before it is written: its name, its columns with their breadth in letters, its rows.
pub(super) struct Sheet {
    pub(super) name: String,
    /// Of its times.
    pub(super) zone: Zone,
    pub(super) columns: Vec<(String, f64)>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// What a workbook says of itself.
pub(super) struct About {
    pub(super) title: String,
    pub(super) author: String,
    /// When it was made, by the clock of its sheets.
    pub(super) made: jiff::civil::DateTime,
}

/// The sheets in their order.
///
/// # Errors
/// What cannot be written into one.
pub(super) fn xlsx(about: &About, sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let looks = Looks::new();
    let mut workbook = Workbook::new();
    let properties = DocProperties::new().set_title(&about.title).set_author(&about.author);
    workbook.set_properties(&properties.set_creation_datetime(&about.made));
    for sheet in sheets {
        workbook.push_worksheet(looks.sheet(sheet)?);
    }
    workbook.save_to_buffer()
}

struct Looks {
    head: Format,
    text: Format,
    date: Format,
    time: Format,
    length: Format,
}

impl Looks {
    fn new() -> Self {
        let top = Format::new().set_align(FormatAlign::Top);
        Self {
            head: Format::new().set_bold().set_background_color("#F4F5F7"),
            text: top.clone().set_text_wrap(),
            date: top.clone().set_num_format("yyyy-mm-dd"),
            time: top.clone().set_num_format("yyyy-mm-dd hh:mm:ss"),
            length: top.set_num_format("[h]:mm:ss"),
        }
    }

    fn sheet(&self, sheet: &Sheet) -> Result<Worksheet, XlsxError> {
        let mut written = Worksheet::new();
        written.set_name(&sheet.name)?;
        let mut column = 0;
        for (title, breadth) in &sheet.columns {
            written.set_column_width(column, *breadth)?;
            written.write_string_with_format(0, column, title, &self.head)?;
            column += 1;
        }
        let mut row = 0;
        for values in &sheet.rows {
            row += 1;
            for (column, value) in (0..).zip(values) {
                self.value(&mut written, (row, column), value, &sheet.zone)?;
            }
        }
        written.set_freeze_panes(1, 1)?;
        if row > 0 && column > 0 {
            written.autofilter(0, 0, row, column - 1)?;
        }
        Ok(written)
    }

    fn value(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        value: &Value,
        zone: &Zone,
    ) -> Result<(), XlsxError> {
        match value {
            Value::Nothing => return Ok(()),
            Value::Text(text) => {
                let text: String = harmless(text).chars().take(LONGEST).collect();
                sheet.write_string_with_format(row, column, text, &self.text)?
            }
            Value::Number(number) => {
                sheet.write_number_with_format(row, column, *number, &self.text)?
            }
            Value::Date(date) => {
                sheet.write_datetime_with_format(row, column, *date, &self.date)?
            }
            Value::Time(at) => {
                let at = zone.tz().to_datetime(*at);
                sheet.write_datetime_with_format(row, column, at, &self.time)?
            }
            Value::Length(length) => {
                let days = length.as_secs_f64() / 86_400.0;
                sheet.write_number_with_format(row, column, days, &self.length)?
            }
        };
        Ok(())
    }
}
