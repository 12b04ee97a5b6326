//! Whether a template's tree will be flat enough for a thread's stack, told from its text.
//!
//! Decides before the template library reads it; what is allowed in a template is decided from its tree, after that.

/// Longer than any that is meant well.
const MOST_TAG_BYTES: usize = 512;
const MOST_ELIFS: usize = 50;

/// Whether the tree will be flat enough: the library reads `a.a.a` and `elif` after `elif` without a limit into a tree
/// as deep as they are long, and whoever walks or drops that needs a stack as deep.
///
/// Told from the text alone, before anything reads it: strings are skipped as the library skips them, and `raw`, in which
/// tags are none, is refused, so that both see the same tags.
pub(super) fn flat(source: &str) -> Result<(), &'static str> {
    if source.matches("elif").count() > MOST_ELIFS {
        return Err("there are more than 50 `elif`");
    }
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        let tag = rest.get(at..).unwrap_or_default();
        let Some(end) = ["{{", "{%", "{#"]
            .into_iter()
            .zip(["}}", "%}", "#}"])
            .find_map(|(begins, ends)| tag.starts_with(begins).then_some(ends))
        else {
            rest = tag.get(1..).unwrap_or_default();
            continue;
        };
        let length = tag_length(tag, end).unwrap_or(tag.len());
        if length > MOST_TAG_BYTES {
            return Err("a tag is longer than 512 characters, or does not end");
        }
        let words = tag.get(2..length).unwrap_or_default();
        if words.trim_start_matches(['-', '+']).trim_start().starts_with("raw") {
            return Err("`raw` is not for templates of mails");
        }
        rest = tag.get(length..).unwrap_or_default();
    }
    Ok(())
}

/// How many bytes a tag has with its end, which is none inside of quotes.
fn tag_length(tag: &str, end: &str) -> Option<usize> {
    let (mut quote, mut is_escaped) = (None, false);
    for (at, letter) in tag.char_indices().skip(2) {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if letter == '\\' => is_escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            // A comment holds no strings.
            None if matches!(letter, '"' | '\'') && end != "#}" => quote = Some(letter),
            None if tag.get(at..).is_some_and(|rest| rest.starts_with(end)) => return at.checked_add(end.len()),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_would_become_a_deep_tree_is_refused_before_it_is_read() {
        let many = |piece: &str| piece.repeat(20_000);
        let deep = [
            format!("{{{{ a{} }}}}", many(".a")),
            format!("{{{{ a{} }}}}", many("[0]")),
            format!("{{{{ a{} }}}}", many("|first")),
            format!("{{{{ a{} }}}}", many(" or a")),
            format!("{{{{ a{} }}}}", many("~a")),
            format!("{{% if a %}}{}{{% endif %}}", many("{% elif a %}")),
            format!("{{{{ '}}}}' ~ a{} }}}}", many(".a")),
            format!("{{# {{{{ #}}{{{{ a{} }}}}", many(".a")),
            format!("{{% raw %}}{{#{{% endraw %}}{{{{ '#}}' ~ a{} }}}}", many(".a")),
            format!("{{{{ a{}", many(".a")),
        ];
        for template in deep {
            let start: String = template.chars().take(40).collect();
            assert!(flat(&template).is_err(), "{start}");
        }
    }

    #[test]
    fn what_people_write_is_flat() {
        for template in ["", "no tag", "{ } {x} }}", "{{ name }} {% if a == \"}}\" %}{{ 'x' }}{% endif %}{# why #}"] {
            assert_eq!(flat(template), Ok(()), "{template}");
        }
    }
}
