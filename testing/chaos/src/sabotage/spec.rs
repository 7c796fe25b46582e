//! The definition of a sabotage.

use anyhow::{Result, ensure};

use super::super::fault::Kind;

/// One line of the source made wrong.
#[derive(Clone, Copy, Debug)]
pub struct Sabotage {
    /// Name on the command line.
    pub name: &'static str,
    /// Path of the file, from the workspace's directory.
    pub file: &'static str,
    /// The original text, which the file contains exactly once.
    pub right: &'static str,
    /// The replacement.
    pub wrong: &'static str,
    /// The faults of the campaign, which make the sabotage visible.
    pub(super) faults: &'static [Kind],
    /// The checks that may find the sabotage, such as `P1 (lost)`.
    pub(super) caught_by: &'static [&'static str],
}

impl Sabotage {
    /// Returns the file's text with the line made wrong.
    ///
    /// # Errors
    /// If `text` does not contain [`Sabotage::right`] exactly once.
    pub fn applied(&self, text: &str) -> Result<String> {
        let Sabotage { name, file, right, .. } = self;
        let times = text.matches(right).count();
        ensure!(times == 1, "{name}: {file} contains {right:?} {times} times, not once");
        Ok(text.replacen(right, self.wrong, 1))
    }
}
