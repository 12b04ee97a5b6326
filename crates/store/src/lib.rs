//! The only SQL: what Provost remembers.
