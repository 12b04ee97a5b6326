//! HTTP: the device plane, the REST API and the console, as three routers that share nothing but the
//! use-cases.
//!
//! Decides how answers look on the wire; every decision on what is answered is made below.

pub mod api;
pub mod console;
pub mod phones;
pub mod proxy;

mod report_stream;
