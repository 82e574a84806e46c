//! Layer 4: words, reports, mails and drawings as text, documents and pictures, in English and Simplified Chinese; nothing
//! here does I/O.
//!
//! Everything that a person reads is made here, from the read models of [`crate::view`]. The sentences are
//! the enums of [`words`], one a subject, and the headings its labels; the compiler refuses one that lacks a language.

pub mod access;
pub mod archives;
pub mod audit;
pub mod behind;
pub mod bulletin;
pub mod change;
pub mod change_check;
pub mod change_evidence;
pub mod change_mail;
mod change_papers;
pub mod change_proof;
pub mod change_proof_html;
mod change_rehearsal;
pub mod change_stats;
pub mod clock;
pub mod command;
mod csv;
pub mod day_words;
pub mod drill;
pub mod event;
pub mod far_host;
pub mod gantt;
pub mod hand_over;
pub mod health;
pub mod hosts;
pub mod incident;
mod incident_forms;
pub mod incident_mail;
pub mod incident_page;
mod incident_part;
pub mod incident_report;
mod incident_words;
pub mod inspection;
pub mod list;
pub mod mail;
pub mod nights;
pub mod notice;
pub mod one_job;
pub mod operations;
pub mod pages;
mod paper;
pub mod phrase;
pub mod picture;
pub mod plan;
pub mod progress;
pub mod rehearsal;
pub mod report;
pub mod report_html;
mod report_parts;
pub mod report_pdf;
pub mod report_text;
pub mod report_xlsx;
pub mod roster;
pub mod roster_feed;
pub mod roster_sheet;
pub mod runs;
mod sectioned;
mod service_levels;
pub mod signoff;
pub mod standing;
pub mod starts;
pub mod status;
mod supposed;
mod table;
pub mod terminal;
mod times;
pub mod tried;
mod typeface;
pub mod watched;
pub mod webhook;
pub mod why;
pub mod words;
mod workbook;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
