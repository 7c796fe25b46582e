//! The command line behind `dead-letters`.

use clap::{Args, Subcommand};
use domain::{ActionId, OrderId};
use service::Env;

use crate::dead_letters::{Action, DeadLetterId, DeadLetters, Filter, Note, Operator};
use crate::dead_letters::{LOOK_MAX, REPLAY_DEFAULT};

/// Length of a list, unless the caller gives another.
const LINES_DEFAULT: usize = 50;
/// Largest length of a list.
const LINES_MAX: usize = 10_000;

/// Shows messages that could not be read or kept killing their readers, and puts them back or
/// discards them.
///
/// Dead letters stay in their queues until the outcome of an action is stored. A command that was
/// interrupted can be repeated. Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 no such dead
/// letter or action, 4 the dead letters are locked by another session.
#[derive(Debug, Args)]
pub struct DeadLettersArgs {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Prints JSON, as over HTTP
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists dead letters, oldest first
    List {
        #[command(flatten)]
        which: Which,
        /// Only those about this order
        #[arg(long, value_name = "ID")]
        order: Option<OrderId>,
        /// Number of lines
        #[arg(long, default_value_t = LINES_DEFAULT, value_parser = lines)]
        limit: usize,
    },
    /// Shows one dead letter with its body
    Show { id: DeadLetterId },
    /// Puts one dead letter back, or all of a reason or queue
    Replay {
        #[arg(required_unless_present_any = ["reason", "queue"], conflicts_with_all = ["reason", "queue", "limit"])]
        id: Option<DeadLetterId>,
        #[command(flatten)]
        which: Which,
        /// Number of dead letters at most
        #[arg(long, default_value_t = REPLAY_DEFAULT, value_parser = replays)]
        limit: usize,
        #[command(flatten)]
        by: By,
        /// The reason for replaying, for the record
        #[arg(long)]
        note: Option<Note>,
    },
    /// Removes one dead letter; the record keeps it
    Discard {
        id: DeadLetterId,
        #[command(flatten)]
        by: By,
        /// The reason for discarding, for the record
        #[arg(long)]
        note: Note,
    },
    /// Lists recorded actions, newest first
    Actions {
        /// Only those on this dead letter
        #[arg(long, value_name = "ID")]
        letter: Option<DeadLetterId>,
        /// Number of lines
        #[arg(long, default_value_t = LINES_DEFAULT, value_parser = lines)]
        limit: usize,
        /// Only those before this action
        #[arg(long, value_name = "ID")]
        before: Option<ActionId>,
    },
    /// Shows one action with its whole dead letter
    Action { id: ActionId },
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Only those of this queue
    #[arg(long)]
    queue: Option<String>,
    /// Only those with this reason
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct By {
    /// The person who acts, for the record; the system's user if left out. It is not verified
    #[arg(long, value_name = "WHO")]
    by: Option<Operator>,
}

impl Which {
    /// The filter; an error says which queues there are.
    pub(super) fn filter(
        self,
        order: Option<OrderId>,
        letters: &DeadLetters,
    ) -> Result<Filter, String> {
        let queue = self.queue.as_deref().map(|name| letters.queue(name)).transpose();
        let queue = queue.map_err(|why| format!("--queue {why}"))?;
        Ok(Filter { queue, reason: self.reason, order })
    }
}

impl By {
    pub(super) fn replay(self, note: Option<Note>) -> Result<Action, String> {
        Ok(Action::replay(self.operator()?, note))
    }

    pub(super) fn discard(self, note: Note) -> Result<Action, String> {
        Ok(Action::discard(self.operator()?, note))
    }

    fn operator(self) -> Result<Operator, String> {
        if let Some(by) = self.by {
            return Ok(by);
        }
        let env = Env::of_process();
        let user = env.of_the_system("LOGNAME").or(env.of_the_system("USER"));
        user.and_then(|user| user.parse().ok())
            .ok_or("the system does not report your name: --by is required".to_owned())
    }
}

fn lines(text: &str) -> Result<usize, String> {
    up_to(LINES_MAX, text)
}

fn replays(text: &str) -> Result<usize, String> {
    up_to(LOOK_MAX, text)
}

fn up_to(max: usize, text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
    limit.ok_or_else(|| format!("must be a whole number from 1 to {max}"))
}
