//! Layer 4: words, reports, mails and drawings as pure text, in English and Simplified Chinese.
//!
//! Everything that a person reads is made here, from the read models of [`crate::view`]. A sentence is a [`words::Msg`],
//! a heading or a column a [`words::Label`]; the compiler refuses one that lacks a language.

pub mod clock;
pub mod command;
pub mod day_words;
pub mod event;
pub mod gantt;
pub mod mail;
pub mod phrase;
pub mod plan;
pub mod progress;
pub mod report_html;
pub mod report_text;
pub mod runs;
pub mod status;
mod table;
pub mod why;
pub mod words;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
