//! Names of settings and parameters as administrators write them.

/// A setting's name and, behind an `@`, the line it is for.
pub(crate) fn setting_name(name: &str) -> Option<(&str, Option<u32>)> {
    match name.split_once('@') {
        None => Some((name, None)),
        Some((id, line)) => {
            let line: u32 = line.parse().ok().filter(|line| (1..=MOST_LINES).contains(line))?;
            Some((id, Some(line)))
        }
    }
}

/// More than any phone has.
const MOST_LINES: u32 = 99;

/// Whether a parameter is spelled as the catalog writes it, with numbers where `{line}` or `{server}` stands. Case does
/// not count: nobody knows of every firmware that it does.
pub(crate) fn is_spelled(pattern: &str, parameter: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('.'), parameter.split('.'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(place), Some(number)) if place.starts_with('{') => {
                if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                    return false;
                }
            }
            (Some(wanted), Some(found)) if wanted.eq_ignore_ascii_case(found) => {}
            _ => return false,
        }
    }
}

/// Whether a parameter's name says that its value is a secret.
///
/// Rather once too often: `password`, `passphrase` and `secret` anywhere, and a last part that holds the word `pin` or
/// ends a word with `key`.
pub fn is_secret_name(parameter: &str) -> bool {
    let lower = parameter.to_ascii_lowercase();
    if ["password", "passwd", "passphrase", "secret", "credential"].iter().any(|word| lower.contains(word)) {
        return true;
    }
    let last = parameter.rsplit('.').next().unwrap_or_default();
    words(last).iter().any(|word| word == "pin" || word == "psk" || word.ends_with("key"))
}

/// The words of `wpaPreSharedKey1`, in lower case.
fn words(part: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before_is_lower = false;
    for letter in part.chars() {
        let starts =
            words.is_empty() || !letter.is_ascii_alphabetic() || (letter.is_ascii_uppercase() && before_is_lower);
        match words.last_mut() {
            Some(word) if !starts => word.push(letter.to_ascii_lowercase()),
            _ => words.push(letter.to_ascii_lowercase().to_string()),
        }
        before_is_lower = letter.is_ascii_lowercase();
    }
    words
}
