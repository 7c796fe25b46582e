/// How a connection to the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not there; why, as far as it is known.
    Away(String),
    /// Usable.
    Up,
    /// There, but the broker takes nothing at the moment, in its own words.
    Blocked(String),
}

impl Status {
    /// For a health check. The reason stays in the log: it may hold a driver's words.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Status::Up => Ok(()),
            Status::Away(_) => Err("not connected".to_owned()),
            Status::Blocked(_) => Err("blocked by the broker".to_owned()),
        }
    }
}
