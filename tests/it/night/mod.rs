//! Whole nights with the real binary: what a night goes through, and what it leaves behind.

mod facts;
mod house;
mod letter;
mod watched;

mod adopted;
mod agent_killed;
mod failures;
mod gates;
mod needs;
mod one_leader;
mod operators;
mod own_copy;
mod post;
mod stopped;
mod store_damaged;
mod store_trouble;
#[cfg(feature = "faults")]
mod supervisor_killed;
mod tour;
mod unruly;
mod windows;
