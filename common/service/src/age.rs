use std::time::Duration;

/// The longest age: ten years.
const SECONDS_MAX: u64 = 10 * 366 * 86_400;

/// Reads an age: a whole number of seconds, minutes, hours or days such as `90s`, `15m`, `2h` or `7d`,
/// ten years at most.
pub fn parse_age(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let number = Some(number).filter(|number| number.bytes().all(|b| b.is_ascii_digit()))?;
    let seconds = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    (seconds <= SECONDS_MAX).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_with_a_unit() {
        assert_eq!(parse_age("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_age("7d"), Some(Duration::from_secs(7 * 86_400)));
        for wrong in ["1", "m", "-1m", "+1m", "1w", "99999999999999999999d", "3661d", "ä", "1ä", ""]
        {
            assert_eq!(parse_age(wrong), None, "{wrong}");
        }
    }
}
