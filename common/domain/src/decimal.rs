//! Decimal numbers with at most two decimals, read exactly.

/// Digits behind the point.
const DECIMALS: usize = 2;
/// Longest number that is read, in bytes.
const TEXT_MAX: usize = 64;

/// Reads a JSON number (RFC 8259 §6, exponent included) in hundredths: `199.9` is 19990. Returns
/// `None` for a text that is not a number, is negative, is longer than [`TEXT_MAX`], does not fit
/// an `i64`, or has a digit beyond the second decimal; the number is never rounded.
pub(crate) fn parse_hundredths(text: &str) -> Option<i64> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // value = significant × 10^shift, in hundredths
    let dropped = digits.len() - significant.len();
    let shift = i64::try_from(dropped + DECIMALS).ok()? + i64::from(exponent)
        - i64::try_from(fraction.len()).ok()?;
    let scale = 10_i64.checked_pow(u32::try_from(shift).ok()?)?;
    significant.parse::<i64>().ok()?.checked_mul(scale)
}
