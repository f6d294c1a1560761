//! The child behind the wall as a program of its own: what the tests start.

fn main() -> std::io::Result<()> {
    outcrop_extract::wall::serve_child()
}
