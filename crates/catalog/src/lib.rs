//! What Provost knows about phones: strict parsing of the catalog's TOML and look-ups.
