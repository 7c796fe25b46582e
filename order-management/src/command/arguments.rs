//! What stands behind `dead-letters`.

use std::collections::BTreeMap;
use std::str::FromStr;

use common::domain::ActionId;
use common::runtime::{Env, is_help};

use crate::dead_letters::REPLAY_DEFAULT;
use crate::dead_letters::{DeadLetters, Deed, Filter, LOOK_MAX, LetterId, Note, Operator};

/// How many lines a list has, unless it is said otherwise.
const LINES_DEFAULT: usize = 50;
/// The most lines of a list.
const LINES_MAX: usize = 10_000;

/// What is asked for, and whether a machine will read the answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) wish: Wish,
    pub(super) json: bool,
}

#[derive(Debug)]
pub(super) enum Wish {
    Help,
    List(Filter, usize),
    Show(LetterId),
    Act(LetterId, Deed),
    ReplayAll(Filter, usize, Deed),
    Actions(Option<ActionId>, i64, Option<LetterId>),
    Action(ActionId),
}

/// Words and options, as they were given.
#[derive(Debug, Default)]
struct Given<'a> {
    words: Vec<&'a str>,
    options: BTreeMap<&'a str, &'a str>,
    json: bool,
}

/// The options that each form of a command takes.
const FORMS: [(&str, usize, &[&str]); 8] = [
    ("list", 0, &["--queue", "--reason", "--order", "--limit"]),
    ("show", 1, &[]),
    ("replay", 1, &["--by", "--note"]),
    ("replay", 0, &["--queue", "--reason", "--limit", "--by", "--note"]),
    ("discard", 1, &["--by", "--note"]),
    ("actions", 0, &["--letter", "--limit", "--before"]),
    ("action", 1, &[]),
    ("help", 0, &[]),
];

/// Reads the arguments; an error says what is wrong with them.
pub(super) fn read(arguments: &[String], letters: &DeadLetters) -> Result<Asked, String> {
    if arguments.iter().any(|word| is_help(word)) {
        return Ok(Asked { wish: Wish::Help, json: false });
    }
    let given = given(arguments)?;
    let (command, words) = given.words.split_first().ok_or("what shall be done?")?;
    let form = FORMS.iter().find(|form| form.0 == *command && form.1 == words.len());
    let form = form.ok_or_else(|| match FORMS.iter().find(|form| form.0 == *command) {
        Some((_, 0, _)) => format!("`{command}` takes no id"),
        Some(_) => format!("`{command}` takes one id"),
        None => format!("there is no `{command}`"),
    })?;
    if let Some(odd) = given.options.keys().find(|option| !form.2.contains(option)) {
        return Err(format!("`{command}` does not take {odd} like this"));
    }
    let wish = match (*command, words) {
        ("list", _) => Wish::List(given.filter(letters)?, given.limit(LINES_DEFAULT, LINES_MAX)?),
        ("show", [id]) => Wish::Show(parse("the id", id)?),
        ("replay", [id]) => Wish::Act(parse("the id", id)?, given.replay()?),
        ("replay", _) if !["--queue", "--reason"].iter().any(|o| given.options.contains_key(o)) => {
            return Err("`replay` needs an id, --reason or --queue".to_owned());
        }
        ("replay", _) => {
            let limit = given.limit(REPLAY_DEFAULT, LOOK_MAX)?;
            Wish::ReplayAll(given.filter(letters)?, limit, given.replay()?)
        }
        ("discard", [id]) => {
            let note: Note = given.option("--note")?.ok_or("`discard` needs a --note")?;
            Wish::Act(parse("the id", id)?, Deed::discard(given.by()?, note))
        }
        ("actions", _) => {
            let limit = given.limit(LINES_DEFAULT, LINES_MAX)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            Wish::Actions(given.option("--before")?, limit, given.option("--letter")?)
        }
        ("action", [id]) => Wish::Action(parse("the id", id)?),
        _ => Wish::Help,
    };
    Ok(Asked { wish, json: given.json })
}

fn given(arguments: &[String]) -> Result<Given<'_>, String> {
    let mut given = Given::default();
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let (name, value) =
            word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if word == "--json" {
            given.json = true;
        } else if name.starts_with("--") {
            let value = value.or_else(|| rest.next()).ok_or(format!("{name} needs a value"))?;
            if given.options.insert(name, value).is_some() {
                return Err(format!("{name} may be given once"));
            }
        } else {
            given.words.push(word);
        }
    }
    Ok(given)
}

impl Given<'_> {
    fn option<T: FromStr>(&self, name: &str) -> Result<Option<T>, String>
    where
        T::Err: std::fmt::Display,
    {
        self.options.get(name).map(|text| parse(name, text)).transpose()
    }

    fn limit(&self, default: usize, max: usize) -> Result<usize, String> {
        let limit = self.option("--limit")?.unwrap_or(default);
        let fits = (1..=max).contains(&limit);
        fits.then_some(limit).ok_or(format!("--limit must be a whole number from 1 to {max}"))
    }

    fn filter(&self, letters: &DeadLetters) -> Result<Filter, String> {
        let queue = self.options.get("--queue").map(|name| letters.queue(name)).transpose();
        Ok(Filter {
            queue: queue.map_err(|why| format!("--queue {why}"))?,
            reason: self.option("--reason")?,
            order: self.option("--order")?,
        })
    }

    fn replay(&self) -> Result<Deed, String> {
        Ok(Deed::replay(self.by()?, self.option("--note")?))
    }

    fn by(&self) -> Result<Operator, String> {
        if let Some(by) = self.option("--by")? {
            return Ok(by);
        }
        let env = Env::of_process();
        let user = env.of_the_system("LOGNAME").or(env.of_the_system("USER"));
        user.and_then(|user| user.parse().ok())
            .ok_or("the system does not say who you are: --by is needed".to_owned())
    }
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|why| format!("{name} {why}"))
}
