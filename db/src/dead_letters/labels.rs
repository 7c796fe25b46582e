use std::str::FromStr;

/// Kind of an action on a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// A copy of the message is published to the queue that the message came from.
    Replay,
    /// The message is removed, and kept in the record of the action only.
    Discard,
}

/// Outcome of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The action is in progress, or its process died: the dead letter may still be in its queue.
    Begun,
    /// The action was carried out.
    Done,
    /// Nothing was done: the dead letter is still in its queue.
    Failed,
    /// A copy may have been published; the dead letter is still in its queue as well.
    Unknown,
}

impl ActionKind {
    /// The spelling in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            ActionKind::Replay => "replay",
            ActionKind::Discard => "discard",
        }
    }
}

impl Outcome {
    /// The spelling in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Begun => "begun",
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }
}

impl FromStr for ActionKind {
    type Err = String;

    fn from_str(text: &str) -> Result<ActionKind, String> {
        let all = [ActionKind::Replay, ActionKind::Discard];
        all.into_iter().find(|a| a.as_str() == text).ok_or_else(|| format!("no action: {text}"))
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Outcome, String> {
        let all = [Outcome::Begun, Outcome::Done, Outcome::Failed, Outcome::Unknown];
        all.into_iter().find(|o| o.as_str() == text).ok_or_else(|| format!("no outcome: {text}"))
    }
}
