//! An independent comparison of decimals, by their digits.

/// A non-negative decimal: its digits without zeros at either end, and their power of ten.
type Normal = (String, i64);

/// Parses a JSON number; `None` if the text is not a number, or its exponent overflows.
fn normal(text: &str) -> Option<Normal> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = exponent.parse().ok()?;
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let behind = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let significant = significant.trim_start_matches('0');
    Some(if significant.is_empty() { (String::new(), 0) } else { (significant.to_owned(), behind) })
}

/// Panics unless both texts are the same number.
pub(crate) fn same(written: &str, read: &str) {
    let (left, right) = (normal(written), normal(read));
    assert!(left.is_some() && left == right, "{written} was read as {read}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_compared_by_their_value() {
        for (a, b) in [("199.90", "199.9"), ("1.99e2", "199"), ("0.0", "0"), ("100", "1E+2")] {
            same(a, b);
        }
        assert_ne!(normal("199.9"), normal("199.90000000000001"));
        assert_eq!(normal("-1"), None);
    }
}
