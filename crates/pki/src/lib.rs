//! Device-certificate policy, trust store, server certificates, test authority.
