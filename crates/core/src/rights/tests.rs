//! The table of roles and rights, and that nobody makes somebody mightier than himself.

use super::*;

#[test]
fn the_table_of_roles_and_rights_is_this() {
    let table = [
        (Role::Owner, [true, true, true, true, true, true, true]),
        (Role::Administrator, [true, true, true, true, true, false, true]),
        (Role::Support, [true, false, false, false, false, false, true]),
        (Role::Installer, [true, false, true, false, false, false, false]),
        (Role::ReadOnly, [true, false, false, false, false, false, false]),
    ];

    for (role, row) in table {
        assert_eq!(Right::ALL.map(|right| role.may(right)), row, "{role}");
    }
}

#[test]
fn no_role_is_within_one_that_lacks_any_of_its_rights() {
    let within = |role: Role| Role::ALL.into_iter().filter(|other| other.is_within(role)).collect::<Vec<_>>();

    assert_eq!(within(Role::Owner), Role::ALL);
    assert_eq!(within(Role::Administrator), [Role::Administrator, Role::Support, Role::Installer, Role::ReadOnly]);
    assert_eq!(within(Role::Support), [Role::Support, Role::ReadOnly]);
    assert_eq!(within(Role::Installer), [Role::Installer, Role::ReadOnly]);
    assert_eq!(within(Role::ReadOnly), [Role::ReadOnly]);
}

#[test]
fn every_word_reads_back_as_its_role() {
    for role in Role::ALL {
        assert_eq!(Role::from_word(role.as_str()), Some(role));
    }
    assert_eq!(Role::from_word("Owner"), None);
}

#[test]
fn a_right_names_who_has_it() {
    assert_eq!(Right::Platform.holders(), "owner");
    assert_eq!(Right::Change.holders(), "owner and administrator");
    assert_eq!(Right::Activate.holders(), "owner, administrator and installer");
}
