//! Layer 2: the pure core. Everything is decided here, from plain values and a given time.

pub mod access;
pub mod act;
mod action;
mod agenda;
pub mod ahead;
mod allowed;
pub mod bands;
pub mod bulletin;
pub mod calendar;
mod calendar_use;
pub mod change;
pub mod check;
pub mod closing;
mod command;
pub mod containment;
pub mod credentials;
pub mod cron_time;
pub mod day_rule;
mod day_set;
pub mod deadline;
mod event;
pub mod fact;
pub mod figure;
pub mod forecast;
pub mod gate;
pub mod graph;
pub mod hand_over;
mod holders;
mod host_link;
mod house_wide;
pub mod incident;
pub mod inspection;
pub mod invariant;
mod judge;
mod late;
pub mod launch;
pub mod login;
pub mod manuals;
pub mod masks;
pub mod needs;
pub mod night;
pub mod obstacle;
mod opening;
pub mod order;
mod past;
pub mod phase;
pub mod placement;
mod progress;
pub mod received;
pub mod refused;
mod report_time;
pub mod restored;
pub mod retention;
pub mod roster;
pub mod roster_check;
pub mod roster_gaps;
mod roster_rules;
mod rounds_ahead;
mod rules;
mod run_opened;
mod same_day;
pub mod schedule;
pub mod script;
pub mod second;
pub mod select;
pub mod service;
pub mod set_times;
mod slurm;
pub mod staffing;
mod starts;
pub mod state;
mod stopping;
pub mod watcher;
pub mod window;

#[cfg(test)]
mod across_tests;
#[cfg(test)]
mod act_table_tests;
#[cfg(test)]
mod doubt_tests;
#[cfg(test)]
mod forecast_tests;
#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod operator_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod received_tests;
#[cfg(test)]
mod restored_tests;
#[cfg(test)]
mod retry_tests;
#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod slurm_tests;
#[cfg(test)]
mod stop_tests;
#[cfg(test)]
mod successors_tests;
#[cfg(test)]
pub(crate) mod test_night;
#[cfg(test)]
pub(crate) mod test_site;
