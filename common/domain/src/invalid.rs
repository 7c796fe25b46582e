/// The reason why a value was refused: the end of a sentence that begins with the field's name and
/// says what would be right, such as "must be 1 to 200 characters on one line".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// Trims `text`, once the text is known to be one line: at most `max` characters, no control
/// character, and not only spaces.
pub(crate) fn one_line(text: &str, max: usize, refusal: Invalid) -> Result<String, Invalid> {
    let trimmed = text.trim();
    let fits = !trimmed.is_empty() && text.chars().count() <= max;
    if !fits || text.chars().any(char::is_control) {
        return Err(refusal);
    }
    Ok(trimmed.to_owned())
}
