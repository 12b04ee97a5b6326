//! Socket drivers: the TLS accept loop and the SNTP socket.
