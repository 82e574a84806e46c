//! Tables of who may do what with a change, and of when it may start.

mod checklist;
mod closing;
mod docket;
mod examine;
mod goes_on;
mod house;
mod in_git;
mod lists;
mod lost;
mod night;
mod people;
mod rehearsals;
mod released;
mod signoff;
mod stages;
mod times;
