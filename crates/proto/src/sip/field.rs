//! The parts of header values: tokens, lists, parameters, addresses, Via, CSeq.
//!
//! A value may be folded over lines, so line ends count as white space here. Rules: RFC 3261 §25.1.

/// Trims white space and folds.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Whether `text` is a token: a method, a name of a header or parameter.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

/// Where the empty line after a head begins: the line end before it.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    // Matched against a constant: comparing with a slice of any length takes as long as all the rest of a parse.
    bytes.windows(4).position(|window| matches!(window, [b'\r', b'\n', b'\r', b'\n']))
}

/// The elements of a list, split at commas that are not inside quotes or angle brackets, trimmed.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (element, after) = cut(rest?, b',');
        rest = after;
        Some(trim(element))
    })
}

/// Splits at the first `mark` outside quotes and angle brackets.
fn cut(text: &str, mark: u8) -> (&str, Option<&str>) {
    let (mut quoted, mut escaped, mut bracket) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'<' => bracket = true,
            b'>' => bracket = false,
            _ if byte == mark && !bracket => {
                // Every mark is ASCII, so these cuts fall on character boundaries.
                return (text.get(..at).unwrap_or(text), text.get(at.saturating_add(1)..));
            }
            _ => {}
        }
    }
    (text, None)
}

/// Parameters after an address or token: `;tag=1;lr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// The parameters of `text`, which is empty or begins with a semicolon; none when a name is missing.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = trim(text);
        if text.is_empty() {
            return Some(Self(""));
        }
        let params = Self(text.strip_prefix(';')?);
        params.iter().all(|(name, value)| is_token(name) && value.is_none_or(is_value)).then_some(params)
    }

    /// The value of a parameter, without quotes; empty for one without value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(value.map_or("", unquote))
    }

    /// Names and values as sent.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = (!self.0.is_empty()).then_some(self.0);
        std::iter::from_fn(move || {
            let (param, after) = cut(rest?, b';');
            rest = after;
            Some(match param.split_once('=') {
                Some((name, value)) => (trim(name), Some(trim(value))),
                None => (trim(param), None),
            })
        })
    }
}

/// A token, host or whole quoted string.
fn is_value(text: &str) -> bool {
    match text.strip_prefix('"') {
        Some(rest) => quoted_len(rest) == Some(rest.len()),
        None => !text.is_empty() && !text.contains([' ', '\t', '\r', '\n', '"', ',', '<', '>', ';']),
    }
}

/// How long the rest of a quoted string is, with its closing quote.
pub(crate) fn quoted_len(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at.checked_add(1),
            _ => {}
        }
    }
    None
}

/// A quoted string without its quotes; escapes stay.
pub(crate) fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// A From, To or Contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The URI, unchecked.
    pub uri: &'a str,
    /// What follows it.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads `"Name" <uri>;params`, `Name <uri>;params` or `uri;params`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = trim(text);
        let addr = match text.strip_prefix('"') {
            Some(rest) => trim(rest.get(quoted_len(rest)?..)?),
            None => text,
        };
        if addr.len() != text.len() && !addr.starts_with('<') {
            return None;
        }
        if let Some((name, rest)) = addr.split_once('<') {
            let (uri, params) = rest.split_once('>')?;
            return (!name.contains('"')).then_some(Self { uri, params: Params::parse(params)? });
        }
        // Without brackets what follows a semicolon is the header's, and a question mark must not be (RFC 3261 §20).
        let end = addr.find(';').unwrap_or(addr.len());
        let (uri, params) = addr.split_at_checked(end)?;
        (!uri.contains(['?', '"', ','])).then_some(Self { uri: trim(uri), params: Params::parse(params)? })
    }

    /// The dialog's tag.
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.params.value("tag")
    }
}

/// One hop of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`; case does not matter.
    pub transport: &'a str,
    /// Host and perhaps port, as sent.
    pub sent_by: &'a str,
    /// `branch`, `rport`, `received`.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one Via, which is one element of the list that the header is.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (name, rest) = text.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        let rest = trim(rest);
        let (transport, rest) = rest.split_at_checked(rest.find([' ', '\t', '\r', '\n'])?)?;
        let rest = trim(rest);
        let (sent_by, params) = rest.split_at_checked(rest.find(';').unwrap_or(rest.len()))?;
        let sent_by = trim(sent_by);
        let sane = trim(name).eq_ignore_ascii_case("SIP") && is_token(trim(version)) && is_token(transport);
        let sane = sane && !sent_by.is_empty() && !sent_by.contains([',', '"', '<', '>', '@']);
        sane.then_some(Self { transport, sent_by, params: Params::parse(params)? })
    }

    /// The transaction's name, when the sender knows how to make one (RFC 3261 §8.1.1.7).
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params.value("branch").filter(|branch| branch.len() > 7 && branch.starts_with("z9hG4bK"))
    }
}

/// The order of a request in its dialog or registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31.
    pub number: u32,
    /// The method of the request.
    pub method: &'a str,
}

impl<'a> CSeq<'a> {
    /// Reads `1 INVITE`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (number, method) = text.split_at_checked(text.find([' ', '\t', '\r', '\n'])?)?;
        let method = trim(method);
        let number = decimal(number).filter(|number| *number < 1 << 31)?;
        is_token(method).then_some(Self { number, method })
    }
}

/// Decimal digits and nothing else.
#[must_use]
pub fn decimal(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
