//! Settings from environment variables. One declaration with unit, default and bounds serves
//! `--help`, the check at the start and the value.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::injected::{ServiceAddress, take_injected};

/// A setting as `--help` describes it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// The unit or the form of the value.
    pub unit: &'static str,
    /// The effect of the setting.
    pub help: &'static str,
}

/// A setting together with its default, for [`Env::parsed`].
#[derive(Clone, Copy, Debug)]
pub struct SettingWithDefault<'a, T> {
    setting: Setting,
    default: T,
    shown: &'a str,
}

impl Setting {
    /// Adds the default, which `--help` shows as `shown`.
    pub fn with_default<T>(self, default: T, shown: &str) -> SettingWithDefault<'_, T> {
        SettingWithDefault { setting: self, default, shown }
    }
}

/// A value that must not appear in a log line, an error or a Debug print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The value, for the call that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// All invalid settings, with name, value and the values that are valid.
#[derive(Debug, thiserror::Error)]
#[error("{} setting(s) are invalid:\n{}", .0.len(), .0.join("\n"))]
pub struct InvalidSettings(Vec<String>);

/// The environment while settings are being read from it.
#[derive(Debug)]
pub struct Env {
    given: BTreeMap<String, String>,
    injected: BTreeMap<String, ServiceAddress>,
    declared: Vec<String>,
    wrong: Vec<String>,
    unused_and_wrong: Vec<String>,
}

impl Env {
    /// The environment of this process. A value that is not UTF-8 is read with replacement
    /// characters, which most settings then refuse.
    pub fn of_process() -> Env {
        let text = |s: std::ffi::OsString| s.to_string_lossy().into_owned();
        Env::of(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// An environment made of `pairs`. An empty value counts as absent, and so does one that a
    /// platform injects under a name of ours: see [`Env::injected`].
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Env {
        let mut given = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let injected = take_injected(&mut given);
        Env {
            given,
            injected,
            declared: Vec::new(),
            wrong: Vec::new(),
            unused_and_wrong: Vec::new(),
        }
    }

    /// The address that a platform has put into the variable `name`, such as
    /// `tcp://10.96.12.7:5432`.
    pub fn injected(&self, name: &str) -> Option<&ServiceAddress> {
        self.injected.get(name)
    }

    /// Reads settings that have an effect only if `used`. Otherwise invalid ones are reported and
    /// do not stop the process.
    pub fn read_if<T>(&mut self, used: bool, read: impl FnOnce(&mut Env) -> T) -> T {
        let before = self.wrong.len();
        let value = read(self);
        if !used {
            self.unused_and_wrong.extend(self.wrong.drain(before..));
        }
        value
    }

    /// The invalid settings that have no effect.
    pub(crate) fn unused_and_wrong(&self) -> &[String] {
        &self.unused_and_wrong
    }

    /// Returns true if `name` has a value.
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// A variable that the operating system sets, such as the name of the user; not a setting.
    pub fn of_the_system(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// A whole number within `range`.
    pub fn number<N>(&mut self, setting: &Setting, default: N, range: RangeInclusive<N>) -> N
    where
        N: Copy + fmt::Display + FromStr + PartialOrd,
    {
        let right = format!("a whole number from {} to {}", range.start(), range.end());
        self.parsed(setting.with_default(default, &default.to_string()), |text| {
            text.parse().ok().filter(|n| range.contains(n)).ok_or_else(|| right.clone())
        })
    }

    /// A time in whole milliseconds within `range`.
    pub fn millis(
        &mut self,
        setting: &Setting,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_millis(self.number(setting, default, range))
    }

    /// Any text.
    pub fn text(&mut self, setting: &Setting, default: &str) -> String {
        let setting = setting.with_default(default.to_owned(), default);
        self.parsed(setting, |text| Ok(text.to_owned()))
    }

    /// The value that `parse` returns, or the default. An error of `parse` names the valid values.
    pub fn parsed<T>(
        &mut self,
        setting: SettingWithDefault<'_, T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let SettingWithDefault { setting, default, shown } = setting;
        self.declare(&setting, shown);
        let Some(text) = self.given.get(setting.name) else { return default };
        parse(text.trim()).unwrap_or_else(|right| {
            self.wrong.push(format!("  {}={text:?}: must be {right}", setting.name));
            default
        })
    }

    /// A text that no output shows. It may also be the content of a file, whose name is in the
    /// variable with `_FILE` behind its name. A line end behind the text does not count.
    pub fn secret(&mut self, setting: &Setting, default: &str) -> Secret {
        self.declare(setting, if default.is_empty() { "" } else { "a development default" });
        let file_variable = format!("{}_FILE", setting.name);
        let text = match (self.given.get(setting.name), self.given.get(&file_variable)) {
            (Some(_), Some(_)) => Err("not be given beside the setting itself".to_owned()),
            (Some(text), None) => Ok(text.clone()),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|error| format!("be a readable file: {error}")),
            (None, None) => Ok(String::new()),
        };
        let text = text.unwrap_or_else(|right| {
            self.refuse(format!("{file_variable}: must {right}"));
            String::new()
        });
        let text = text.trim_end_matches(['\r', '\n']);
        Secret::new(if text.is_empty() { default } else { text })
    }

    /// A variable of test builds, which `--help` and setup.md do not list.
    #[cfg(debug_assertions)]
    pub(super) fn undeclared(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All settings that were invalid, if any was.
    pub fn finish(self) -> Result<(), InvalidSettings> {
        if self.wrong.is_empty() { Ok(()) } else { Err(InvalidSettings(self.wrong)) }
    }

    /// Adds an error that concerns several settings, or whose value must not be shown.
    pub fn refuse(&mut self, what: String) {
        self.wrong.push(format!("  {what}"));
    }

    /// The text of `--help` about the settings declared so far.
    pub fn help(&self) -> String {
        self.declared.join("\n")
    }

    fn declare(&mut self, setting: &Setting, default: &str) {
        let default = if default.is_empty() { "none" } else { default };
        self.declared.push(format!(
            "  {}\n      {} [{}; default: {default}]",
            setting.name, setting.help, setting.unit
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: Setting = Setting { name: "PORT", unit: "TCP port", help: "Port." };
    const WAIT: Setting = Setting { name: "WAIT_MS", unit: "milliseconds", help: "Time." };
    const WORD: Setting = Setting { name: "WORD", unit: "text", help: "Secret." };

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::of(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn all_invalid_settings_are_named_at_once_with_their_valid_values() {
        let mut env = env(&[("PORT", "70000"), ("WAIT_MS", "soon"), ("OTHER", "x")]);
        assert_eq!(env.number(&PORT, 3000_u16, 0..=65535), 3000);
        assert_eq!(env.millis(&WAIT, 5, 1..=9), Duration::from_millis(5));
        let message = env.finish().unwrap_err().to_string();
        assert!(message.contains("PORT=\"70000\": must be a whole number from 0 to 65535"));
        assert!(message.contains("WAIT_MS=\"soon\": must be a whole number from 1 to 9"));
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let path = std::env::temp_dir().join(format!("ordermill-secret-{}", std::process::id()));
        std::fs::write(&path, "hunter2\r\n").unwrap();
        let file = path.to_str().unwrap();
        assert_eq!(env(&[("WORD_FILE", file)]).secret(&WORD, "none").reveal(), "hunter2");
        let mut both = env(&[("WORD_FILE", file), ("WORD", "hunter3")]);
        both.secret(&WORD, "none");
        let message = both.finish().unwrap_err().to_string();
        assert!(message.contains("WORD_FILE") && !message.contains("hunter"), "{message}");
        std::fs::write(&path, "").unwrap();
        assert_eq!(env(&[("WORD_FILE", file)]).secret(&WORD, "none").reveal(), "none");
        std::fs::remove_file(&path).unwrap();
        let mut missing = env(&[("WORD_FILE", file)]);
        missing.secret(&WORD, "none");
        assert!(missing.finish().is_err());
    }

    #[test]
    fn a_value_that_is_given_wins_over_the_default_and_an_empty_one_does_not() {
        let mut env = env(&[("PORT", " 8080 "), ("WAIT_MS", "")]);
        assert_eq!(env.number(&PORT, 3000_u16, 0..=65535), 8080);
        assert_eq!(env.millis(&WAIT, 5, 1..=9), Duration::from_millis(5));
        env.finish().unwrap();
    }

    #[test]
    fn an_invalid_setting_that_has_no_effect_does_not_stop_the_process() {
        let mut env = env(&[("PORT", "70000"), ("WAIT_MS", "soon")]);
        let port = env.read_if(false, |env| env.number(&PORT, 3000_u16, 0..=65535));
        assert_eq!(port, 3000);
        assert!(env.unused_and_wrong()[0].contains("PORT=\"70000\""));
        env.read_if(true, |env| env.millis(&WAIT, 5, 1..=9));
        let message = env.finish().unwrap_err().to_string();
        assert!(message.contains("WAIT_MS") && !message.contains("PORT"), "{message}");
    }

    #[test]
    fn the_line_end_of_a_file_is_no_part_of_a_secret() {
        let mut env = env(&[("WORD", "hunter2\r")]);
        assert_eq!(env.secret(&WORD, "guest").reveal(), "hunter2");
    }

    #[test]
    fn a_secret_appears_neither_in_debug_nor_in_help() {
        let mut env = env(&[("WORD", "hunter2")]);
        let secret = env.secret(&WORD, "guest");
        assert_eq!(secret.reveal(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(!env.help().contains("hunter2"));
    }
}
