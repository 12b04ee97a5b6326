use crate::{Version, VersionRange};
use proptest::prelude::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn parts_are_compared_as_numbers() {
    let ascending = ["3.2.1.0078", "4.0.15.1047", "5.9", "5.9.0", "5.9.7.4477", "5.10", "6.4.7.4560"];

    for pair in ascending.windows(2) {
        assert!(version(pair[0]) < version(pair[1]), "{} < {}", pair[0], pair[1]);
    }
}

#[test]
fn padding_is_shown_as_written_and_changes_nothing() {
    assert_eq!(version("8.3.1.0614"), version("8.3.1.614"));
    assert_eq!(version("8.3.1.0614").to_string(), "8.3.1.0614");
}

#[test]
fn anything_else_is_refused_and_shown() {
    for text in ["", ".", "5.", ".5", "5..9", "5.9a", "-1", "+1", "5. 9", "٥.٩", "99999999999999999999"] {
        assert_eq!(text.parse::<Version>().unwrap_err().found, text);
    }
}

#[test]
fn a_range_begins_with_its_first_version_and_ends_before_its_second() {
    let range = VersionRange { from: Some(version("4.0")), below: Some(version("6.0")) };

    assert!(range.contains(&version("4.0")));
    assert!(range.contains(&version("5.9.8.5760")));
    assert!(!range.contains(&version("3.3.5")));
    assert!(!range.contains(&version("6.0")));
    assert!(VersionRange::default().contains(&version("1")));
}

fn any_version() -> impl Strategy<Value = Version> {
    proptest::collection::vec(0u64..2000, 1..6).prop_map(|parts| {
        let parts: Vec<String> = parts.iter().map(u64::to_string).collect();
        version(&parts.join("."))
    })
}

proptest! {
    #[test]
    fn order_is_total_and_agrees_with_equality(a in any_version(), b in any_version(), c in any_version()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn shown_and_read_again_is_the_same(a in any_version()) {
        prop_assert_eq!(version(&a.to_string()), a);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".*") {
        let _ = text.parse::<Version>();
    }
}
