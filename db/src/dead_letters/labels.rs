use std::str::FromStr;

/// What can be done to a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// A copy goes back to the queue that it came from.
    Replay,
    /// It is kept with the action and nowhere else.
    Discard,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not yet, or its process died: the letter may be where it was.
    Begun,
    /// As it was meant.
    Done,
    /// Not at all: the letter is where it was.
    Failed,
    /// Nobody knows: a copy may have gone back; the letter is where it was as well.
    Unknown,
}

impl ActionKind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            ActionKind::Replay => "replay",
            ActionKind::Discard => "discard",
        }
    }
}

impl Outcome {
    /// As it is stored.
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
