//! `order-management dead-letters …`: the same as over HTTP, without a running process.

mod args;
mod print;

use std::io::Write as _;
use std::process::ExitCode;

use db::Db;
use serde::Serialize;
use tokio::runtime::Handle;

use args::Command;
pub use args::DeadLettersArgs;

use crate::config::Config;
use crate::dead_letters::{ActionView, DeadLetterError, DeadLetters};

const FAILED: u8 = 1;
const WRONG_ARGUMENTS: u8 = 2;
const NOT_FOUND: u8 = 3;
const LOCKED: u8 = 4;

/// The reason why a command prints no answer.
enum CommandError {
    Arguments(String),
    NoAction,
    DeadLetters(DeadLetterError),
}

impl From<DeadLetterError> for CommandError {
    fn from(error: DeadLetterError) -> CommandError {
        CommandError::DeadLetters(error)
    }
}

impl From<String> for CommandError {
    fn from(why: String) -> CommandError {
        CommandError::Arguments(why)
    }
}

/// Carries out the command, and prints its answer.
pub async fn run(args: DeadLettersArgs, config: &Config) -> ExitCode {
    let db = match Db::new(&config.shop, Handle::current()) {
        Ok(db) => db,
        Err(error) => return complain(FAILED, &error.to_string()),
    };
    let letters = DeadLetters::new(&db, &config.broker);
    match answer(&letters, args).await {
        Ok(text) => say(&text),
        Err(CommandError::Arguments(why)) => {
            complain(WRONG_ARGUMENTS, &format!("{why}\n\nFor more information, try '--help'."))
        }
        Err(CommandError::NoAction) => complain(NOT_FOUND, "there is no such action"),
        Err(CommandError::DeadLetters(error)) => complain(code(&error), &error.to_string()),
    }
}

async fn answer(letters: &DeadLetters, args: DeadLettersArgs) -> Result<String, CommandError> {
    let json = args.json;
    Ok(match args.command {
        Command::List { which, order, limit } => {
            let filter = which.filter(order, letters)?;
            text_of(&letters.list(&filter, limit).await?, json, print::listing)
        }
        Command::Show { id } => text_of(&letters.show(&id).await?, json, print::dead_letter),
        Command::Replay { id: Some(id), by, note, .. } => {
            let action = by.replay(note)?;
            text_of(&letters.act(&id, &action).await?, json, print::done)
        }
        Command::Replay { id: None, which, limit, by, note } => {
            let (filter, action) = (which.filter(None, letters)?, by.replay(note)?);
            text_of(&letters.replay_all(&filter, limit, &action).await?, json, print::replayed)
        }
        Command::Discard { id, by, note } => {
            let action = by.discard(note)?;
            text_of(&letters.act(&id, &action).await?, json, print::done)
        }
        Command::Actions { letter, limit, before } => {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let found = letters.actions(before, limit, letter.as_ref()).await?;
            let found: Vec<ActionView> = found.rows.iter().map(ActionView::from).collect();
            text_of(&found, json, |found| print::actions(found))
        }
        Command::Action { id } => {
            let action = letters.action(id).await?.ok_or(CommandError::NoAction)?;
            text_of(&action, json, print::action)
        }
    })
}

fn text_of<T: Serialize>(answer: &T, json: bool, print: impl Fn(&T) -> String) -> String {
    // Text and numbers into memory: these types always serialize.
    if json { serde_json::to_string(answer).unwrap_or_default() } else { print(answer) }
}

fn code(error: &DeadLetterError) -> u8 {
    match error {
        DeadLetterError::Locked(_) => LOCKED,
        DeadLetterError::NotFound(_) => NOT_FOUND,
        DeadLetterError::Broker(_)
        | DeadLetterError::NotConfirmed(_)
        | DeadLetterError::Store(_)
        | DeadLetterError::KeyInUse(_)
        | DeadLetterError::KeyReused
        | DeadLetterError::Stopped(..) => FAILED,
    }
}

/// Prints an answer. A reader that has seen enough, such as `head`, is no failure.
fn say(text: &str) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(FAILED),
        _ => ExitCode::SUCCESS,
    }
}

fn complain(code: u8, why: &str) -> ExitCode {
    // Without standard error the exit code is all there is.
    drop(writeln!(std::io::stderr().lock(), "{why}"));
    ExitCode::from(code)
}
