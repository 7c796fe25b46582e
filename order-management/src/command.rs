//! `order-management dead-letters …`: the same as over HTTP, without a process that runs.

mod arguments;
mod print;

use std::io::Write as _;
use std::process::ExitCode;

use common::domain::ActionId;
use db::Db;
use serde::Serialize;
use tokio::runtime::Handle;

use crate::config::Config;
use crate::dead_letters::{ActionView, DeadLetters, Trouble};
use arguments::{Asked, Wish};

/// How the command is called.
pub const NAME: &str = "dead-letters";

const HELP: &str = "\
order-management dead-letters: what could not be read, or kept killing its readers.

  list     [--queue Q] [--reason R] [--order ID] [--limit N]   what lies there, oldest first
  show     ID                                                  one letter, with its body
  replay   ID [--by WHO] [--note WHY]                          put one back
  replay   --reason R [--queue Q] [--limit N] [--by WHO] [--note WHY]
  replay   --queue Q  [--limit N] [--by WHO] [--note WHY]      put all of them back
  discard  ID --note WHY [--by WHO]                            keep it in the record only
  actions  [--letter ID] [--limit N] [--before ID]             what was done, newest first
  action   ID                                                  one action, with its whole letter

  --by WHO   who does it, for the record; the system's user if left out. Nobody checks it.
  --json     answer as over HTTP

It takes the settings of the service (order-management --help). Letters stay where they are until
what becomes of them is stored; if this is cut off in the middle, call it again.

It ends with 0 if it was done, 1 if it could not be done, 2 if it was called wrongly, 3 if there is
no such letter, 4 if somebody else is at the dead letters.";

const FAILED: u8 = 1;
const CALLED_WRONGLY: u8 = 2;
const NOT_FOUND: u8 = 3;
const TAKEN: u8 = 4;

/// Does what the arguments say.
pub async fn run(arguments: &[String], config: &Config) -> ExitCode {
    let db = match Db::new(&config.shop, Handle::current()) {
        Ok(db) => db,
        Err(error) => return complain(FAILED, &error.to_string()),
    };
    let letters = DeadLetters::new(&db, &config.broker);
    let asked = match arguments::read(arguments, &letters) {
        Ok(asked) => asked,
        Err(why) => {
            return complain(
                CALLED_WRONGLY,
                &format!("{why}\nSee: order-management {NAME} --help"),
            );
        }
    };
    match answer(&letters, &asked).await {
        Ok(Some(text)) => say(&text),
        Ok(None) => complain(NOT_FOUND, "there is no such action"),
        Err(trouble) => complain(code(&trouble), &trouble.to_string()),
    }
}

/// What is to be printed; `None` if what was asked for is not there.
async fn answer(letters: &DeadLetters, asked: &Asked) -> Result<Option<String>, Trouble> {
    let json = asked.json;
    Ok(Some(match &asked.wish {
        Wish::Help => HELP.to_owned(),
        Wish::List(filter, limit) => {
            told(&letters.list(filter, *limit).await?, json, print::listing)
        }
        Wish::Show(id) => told(&letters.show(id).await?, json, print::letter),
        Wish::Act(id, deed) => told(&letters.act(id, deed).await?, json, print::done),
        Wish::ReplayAll(filter, limit, deed) => {
            let replayed = letters.replay_all(filter, (*limit, deed)).await?;
            told(&replayed, json, print::replayed)
        }
        Wish::Actions(before, limit, letter) => {
            let found = letters.actions(*before, (*limit, letter.as_ref())).await?;
            let found: Vec<ActionView> = found.iter().map(ActionView::from).collect();
            told(&found, json, |found| print::actions(found))
        }
        Wish::Action(id) => return one_action(letters, *id, json).await,
    }))
}

async fn one_action(
    letters: &DeadLetters,
    id: ActionId,
    json: bool,
) -> Result<Option<String>, Trouble> {
    Ok(letters.action(id).await?.map(|action| told(&action, json, print::action)))
}

fn told<T: Serialize>(answer: &T, json: bool, print: impl Fn(&T) -> String) -> String {
    // Text and numbers into memory: there is nothing in these types that fails to be JSON.
    if json { serde_json::to_string(answer).unwrap_or_default() } else { print(answer) }
}

fn code(trouble: &Trouble) -> u8 {
    match trouble {
        Trouble::Taken(_) => TAKEN,
        Trouble::NoLetter(_) => NOT_FOUND,
        Trouble::Broker(_) | Trouble::Stays(_) | Trouble::Store(_) | Trouble::Stopped(..) => FAILED,
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
fn say(text: &str) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(FAILED),
        _ => ExitCode::SUCCESS,
    }
}

fn complain(code: u8, why: &str) -> ExitCode {
    // Without anybody to complain to, the code is all there is.
    drop(writeln!(std::io::stderr().lock(), "{why}"));
    ExitCode::from(code)
}
