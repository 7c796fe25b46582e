use super::Problem;
use crate::api::request::current_request_id;
use crate::dead_letters::Trouble;

impl From<Trouble> for Problem {
    /// The broker's and the database's own words stay in the log.
    fn from(trouble: Trouble) -> Problem {
        let request_id = current_request_id();
        match trouble {
            Trouble::Taken(who) => Problem::DeskTaken(format!(
                "Nothing was done. At it is: {who}. Two at a time would hide letters from each \
                 other: try again in a moment."
            )),
            Trouble::NoLetter(id) => {
                Problem::NotFound(format!("There is no dead letter `{id}` (any more)."))
            }
            Trouble::Broker(fault) => {
                log::warn!(request_id; "answered 503: {fault}");
                Problem::BrokerAway(
                    "What was in hand went back. The log tells more under `requestId`.".to_owned(),
                )
            }
            Trouble::Stays(why) => {
                Problem::LetterStays(format!("The broker did not take its copy: {why}."))
            }
            Trouble::Store(error) => error.into(),
            Trouble::Stopped(why, replayed) => {
                log::warn!(request_id, replayed; "stopped in the middle of many letters");
                let mut problem = Problem::from(*why);
                if let Problem::BrokerAway(detail) | Problem::LetterStays(detail) = &mut problem {
                    detail.push_str(&format!(" {replayed} letters were replayed before that."));
                }
                problem
            }
        }
    }
}
