//! The rules of the house, as they stand in ARCHITECTURE.md, "The rooms". No servers; what breaks a
//! rule is named with file and line.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

mod tidy {
    mod code;
    mod imports;
    mod links;
    mod metrics;
    mod promises;
    mod release;
    mod settings;
    mod sizes;
    mod sources;
    mod statements;
    mod told;
    mod waiting;
}
