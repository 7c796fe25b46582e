use super::Problem;
use crate::dead_letters::DeadLetterError;
use crate::http::request::current_request_id;

impl From<DeadLetterError> for Problem {
    /// The broker's and the database's own words stay in the log.
    fn from(error: DeadLetterError) -> Problem {
        let request_id = current_request_id();
        match error {
            DeadLetterError::Locked(who) => Problem::DeadLettersLocked(format!(
                "Nothing was done. At it is: {who}. Two at a time would hide letters from each \
                 other: try again in a moment."
            )),
            DeadLetterError::NotFound(id) => {
                Problem::NotFound(format!("There is no dead letter `{id}` (any more)."))
            }
            DeadLetterError::Broker(fault) => {
                log::warn!(request_id; "answered 503: {fault}");
                Problem::BrokerUnavailable(
                    "What was in hand went back. The log tells more under `requestId`.".to_owned(),
                )
            }
            DeadLetterError::NotConfirmed(why) => {
                Problem::ReplayNotConfirmed(format!("The broker did not take its copy: {why}."))
            }
            DeadLetterError::Store(error) => error.into(),
            DeadLetterError::Stopped(why, replayed) => {
                log::warn!(request_id, replayed; "stopped in the middle of many letters");
                let mut problem = Problem::from(*why);
                if let Problem::BrokerUnavailable(detail) | Problem::ReplayNotConfirmed(detail) =
                    &mut problem
                {
                    detail.push_str(&format!(" {replayed} letters were replayed before that."));
                }
                problem
            }
        }
    }
}
