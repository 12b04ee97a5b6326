//! Builds anew when a step of the tables is added.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
