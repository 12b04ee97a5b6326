//! Clients: what Provost asks others.
//!
//! Decides how to ask, and for how long at most; never what for, and it knows no store. Codecs are apart from sockets
//! and hold so many bytes and no more.

mod connect;
pub mod mail;
pub mod pbx;
