//! A file that is added to the assets has to be embedded too.

fn main() {
    println!("cargo::rerun-if-changed=assets");
}
