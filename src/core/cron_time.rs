//! Cron expressions over civil time.
