//! Layer 1: files → raw → resolved site. All defects at once, each with its file, line, column and a hint.
//!
//! [`source::SourceTree`] holds the files as values; [`load()`] makes a [`site::Site`] of them, or says everything
//! that is wrong. On the way: `yaml` (nodes with places) → `raw` (structs as they are written, and the JSON Schema)
//! → `sheets` (all files) → `resolve` (names looked up, rules checked).

pub mod braced_words;
pub mod byte_size;
pub mod copy;
mod cron_text;
mod csv_cells;
mod cycles;
pub mod day_words;
pub mod defect;
mod defect_text;
mod load;
pub mod nearest;
pub mod places;
mod raw;
mod resolve;
pub mod retention;
pub mod roster_csv;
pub mod schema;
pub mod settings;
mod sheets;
pub mod site;
pub mod source;
pub mod starter;
#[cfg(test)]
mod tests;
pub mod watch;
mod yaml;

pub use defect::Defect;
pub use defect_text::Styles;
pub use load::{Loaded, load};
