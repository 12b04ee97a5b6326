//! Dev only: starts the real server on free ports and drives it from outside.
