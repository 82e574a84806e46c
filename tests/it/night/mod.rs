//! Whole nights with the real binary: what a night goes through, and what it leaves behind.

mod house;

mod adopted;
mod agent_killed;
mod one_leader;
mod stopped;
