//! Use-cases: facts from the store, rules from core, effects back to the store.
