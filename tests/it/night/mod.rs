//! Whole nights with the real binary: what a night goes through, and what it leaves behind.

pub(crate) mod disk;
pub(crate) mod facts;
pub(crate) mod house;
pub(crate) mod letter;
pub(crate) mod watched;

mod adopted;
mod agent_killed;
mod archived;
mod audited;
#[cfg(feature = "faults")]
mod clock_set;
pub(crate) mod committed;
#[cfg(feature = "faults")]
mod cut_off;
mod disk_full;
mod doctor;
mod doctor_definitions;
mod doubts;
mod drained;
mod drilled;
#[cfg(feature = "faults")]
mod escalated;
mod examined;
mod failures;
pub(crate) mod far;
mod gates;
#[cfg(feature = "faults")]
mod handed_over;
#[cfg(feature = "faults")]
mod hour_long;
#[cfg(feature = "faults")]
mod inspected;
#[cfg(feature = "faults")]
mod life_sign;
mod limits;
#[cfg(feature = "faults")]
mod misbehaving;
mod needs;
mod on_postgres;
mod one_leader;
mod one_target;
mod operations;
mod operators;
mod ordered;
mod own_copy;
pub(crate) mod pair;
mod people;
pub(crate) mod post;
mod read_only;
mod reported;
pub(crate) mod restored;
mod secrets;
#[cfg(feature = "faults")]
mod service_levels;
#[cfg(feature = "faults")]
mod service_manager;
#[cfg(feature = "faults")]
mod serving;
mod settings_file;
mod simulated;
mod slurm;
mod standby;
mod stopped;
mod store_damaged;
pub(crate) mod store_trouble;
#[cfg(feature = "faults")]
mod supervisor_killed;
mod tour;
mod tried;
mod unanswered;
mod unruly;
mod unruly_more;
mod upgraded;
#[cfg(feature = "faults")]
mod webhooks;
mod window_closes;
mod windows;
