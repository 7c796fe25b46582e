//! Crash points are for tests only: no release binary contains them.

use std::path::Path;

use testkit::binaries;

/// Texts of a build with crash points.
const MARKS: [&str; 2] = ["CRASH_AT", "died at the crash point"];

fn has_crash_points(binary: &Path) -> bool {
    let bytes = std::fs::read(binary).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    MARKS.iter().any(|mark| text.contains(mark))
}

#[tokio::test]
async fn no_release_binary_has_crash_points() {
    let binaries = binaries::fresh().await.unwrap();
    for binary in [&binaries.order_management, &binaries.payment_processor] {
        assert_eq!(has_crash_points(binary), cfg!(debug_assertions), "{}", binary.display());
        let release = binary.ancestors().nth(2).unwrap().join("release");
        let release = release.join(binary.file_name().unwrap());
        if release.exists() {
            assert!(!has_crash_points(&release), "{}", release.display());
        }
    }
}
