//! The virtual phone: boots over real sockets as a Poly phone does.
