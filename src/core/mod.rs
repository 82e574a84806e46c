//! Layer 2: the pure core. Everything is decided here, from plain values and a given time.

pub mod calendar;
mod calendar_use;
pub mod check;
pub mod cron_time;
pub mod day_rule;
mod day_set;
pub mod deadline;
pub mod fact;
pub mod graph;
mod opening;
mod same_day;
pub mod schedule;
pub mod window;

#[cfg(test)]
mod test_site;
