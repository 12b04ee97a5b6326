//! Every procedure in `scripts/`, carried out key by key on a phone of each family it is for.
//!
//! The servers are those of the witness: files laid out, nothing decided. What the server of this project makes of the
//! same procedures is tested where both are.

#![cfg(test)]

#[path = "../witness/certificates.rs"]
#[expect(dead_code, reason = "shared with the witness, which needs more of it")]
mod certificates;
mod face;
#[path = "../witness/image_server.rs"]
#[expect(dead_code, reason = "shared with the witness, which needs more of it")]
mod image_server;
mod procedures;
#[path = "../witness/server.rs"]
#[expect(dead_code, reason = "shared with the witness, which needs more of it")]
mod server;
mod stage;
mod told;
