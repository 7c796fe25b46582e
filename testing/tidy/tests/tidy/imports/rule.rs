//! The form of a rule about modules.

/// One line of the table: paths that some files may not name.
#[derive(Debug)]
pub(super) struct Rule {
    /// The files, by the beginning of their path.
    pub(super) files: &'static [&'static str],
    /// The files among them that the rule leaves out.
    pub(super) except: &'static [&'static str],
    pub(super) says: Says,
    pub(super) because: &'static str,
}

#[derive(Debug)]
pub(super) enum Says {
    /// None of these paths, nor what is below them. A capitalised word is a name in any path.
    Never(&'static [&'static str]),
    /// Of the items at the root of the crate, only these.
    OnlyOf(&'static str, &'static [&'static str]),
}
