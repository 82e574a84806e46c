//! The openings of one window class as instants.
