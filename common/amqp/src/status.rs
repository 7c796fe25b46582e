use service::ComponentState;

/// State of a connection to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is no connection, with the reason as far as it is known.
    Disconnected(String),
    /// The connection is usable.
    Up,
    /// The connection is open, but the broker accepts nothing at the moment, with its reason.
    Blocked(String),
}

impl Status {
    /// The state before the first connection.
    pub fn starting() -> Status {
        Status::Disconnected("not connected yet".to_owned())
    }

    /// The result of a readiness check. The reason stays in the log: it may contain the driver's
    /// text.
    ///
    /// # Errors
    /// If the connection is not usable.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Status::Up => Ok(()),
            Status::Disconnected(_) => Err("not connected".to_owned()),
            Status::Blocked(_) => Err("blocked by the broker".to_owned()),
        }
    }
}

/// The need of a process for the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerNeed {
    /// The process does its job without the broker for a while.
    Degraded,
    /// The process can do nothing without the broker.
    Required,
}

impl BrokerNeed {
    /// The state of a component that uses the broker.
    pub(crate) fn state(self, check: Result<(), String>) -> ComponentState {
        let state = ComponentState::from(check);
        match self {
            BrokerNeed::Degraded => state.or_degraded(),
            BrokerNeed::Required => state,
        }
    }
}
