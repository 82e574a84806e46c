pub fn run(_: &std::path::Path) -> i32 {
    0
}
