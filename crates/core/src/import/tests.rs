use super::csv::{CsvError, CsvReader, Record, RowTrouble, write_row};
use super::*;
use crate::ids::{AccountId, SiteId};
use proptest::prelude::*;
use provost_catalog::Catalog;

fn read(pieces: &[&[u8]]) -> Result<Vec<Record>, CsvError> {
    let (mut reader, mut out) = (CsvReader::default(), Vec::new());
    for piece in pieces {
        reader.feed(piece, &mut out)?;
    }
    reader.finish(&mut out)?;
    Ok(out)
}

fn cells(text: &[u8]) -> Vec<Vec<String>> {
    read(&[text]).unwrap().into_iter().map(|record| record.cells).collect()
}

fn catalog() -> Catalog {
    Catalog::built_in().unwrap()
}

fn account() -> AccountId {
    "account_01jd0ck3v80000000000000001".parse().unwrap()
}

fn site(n: u8) -> SiteId {
    format!("site_01jd0ck3v8000000000000000{n}").parse().unwrap()
}

fn sites(names: &[&str]) -> Sites {
    Sites::new(names.iter().zip(1..).map(|(name, n)| (site(n), (*name).to_owned())))
}

/// The second row of a file, checked; faults as `field: message`.
fn checked(kind: ImportKind, file: &str, sites: &Sites) -> (ImportedRow, Vec<String>) {
    let records = read(&[file.as_bytes()]).unwrap();
    let header = Header::read(kind, &records[0]).unwrap();
    let (catalog, account) = (catalog(), account());
    let checks = RowChecks { catalog: &catalog, account: &account, sites };
    let (row, faults) = check_row(&header, &records[1], &checks);
    (row, faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect())
}

#[test]
fn what_spreadsheets_save_reads_as_the_same_cells() {
    let wanted =
        vec![vec!["site".to_owned(), "name".to_owned()], vec!["Wien".to_owned(), "Ada \"A\", B\nC".to_owned()]];
    for file in [
        &b"site,name\nWien,\"Ada \"\"A\"\", B\nC\"\n"[..],
        b"\xEF\xBB\xBFsite;name\r\nWien;\"Ada \"\"A\"\", B\nC\"",
        b"site\tname\rWien\t\"Ada \"\"A\"\", B\nC\"\r",
    ] {
        assert_eq!(cells(file), wanted);
    }
}

#[test]
fn rows_are_counted_as_a_spreadsheet_shows_them() {
    let rows: Vec<i64> =
        read(&[b"a,b\r\n\r\n,,\r\n\"x\ny\",2\r\n3,4"]).unwrap().iter().map(|record| record.row).collect();

    assert_eq!(rows, [1, 4, 5]);
}

#[test]
fn a_file_that_cannot_be_read_says_what_to_do() {
    let long = format!("a\n\"{}", "x".repeat(70_000));

    assert_eq!(read(&[b"\xFF\xFEa\0"]), Err(CsvError::Utf16));
    assert_eq!(read(&[long.as_bytes()]), Err(CsvError::RowTooLong { row: 2 }));
    assert_eq!(read(&[b"a\n\"b"]), Err(CsvError::Unclosed { row: 2 }));
    assert_eq!(read(&[b"a\n\"b\"c"]).unwrap()[1].trouble, Some(RowTrouble::AfterQuote));
    assert_eq!(read(&[b"a\nb\xFF"]).unwrap()[1].trouble, Some(RowTrouble::NotUtf8));
    assert_eq!(read(&[b""]), Ok(Vec::new()));
}

#[test]
fn a_cell_that_a_spreadsheet_would_compute_is_made_text() {
    let mut out = String::new();
    write_row(&mut out, ["=1+1", "+43", "-1", "@x", "\tx", "a=b", "a,\"b\"", ""]);

    assert_eq!(out, "'=1+1,'+43,'-1,'@x,'\tx,a=b,\"a,\"\"b\"\"\",\r\n");
}

proptest! {
    #[test]
    fn what_was_written_reads_back_whatever_the_pieces(
        rows in prop::collection::vec(prop::collection::vec("[a-z\",;\r\n é]{1,6}", 2..4), 1..5), cut in 1usize..9
    ) {
        let mut text = "a,b,c\r\n".to_owned();
        for row in &rows {
            write_row(&mut text, row.iter().map(String::as_str));
        }
        let pieces: Vec<_> = text.as_bytes().chunks(cut).collect();
        let back: Vec<_> = read(&pieces).unwrap().into_iter().skip(1).map(|record| record.cells).collect();
        // What a spreadsheet would compute is made text; of the letters here only a carriage return is.
        let shown = |cell: &String| if cell.starts_with('\r') { format!("'{cell}") } else { cell.clone() };
        let wanted = rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>());
        let wanted: Vec<_> = wanted.filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        prop_assert_eq!(back, wanted);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&[&bytes]);
    }
}

#[test]
fn every_template_is_a_good_file_of_its_kind() {
    for kind in [ImportKind::Users, ImportKind::Devices, ImportKind::Lines] {
        let (_, faults) = checked(kind, &template(kind), &sites(&["Vienna"]));
        assert_eq!(faults, Vec::<String>::new(), "{}", kind.as_str());
    }
}

#[test]
fn a_first_row_names_every_column_at_fault() {
    let records = read(&[b"Name;E Mail;name;extn"]).unwrap();

    let errors = Header::read(ImportKind::Users, &records[0]).unwrap_err();

    let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["E Mail", "name", "extn", "extension"]);
}

#[test]
fn columns_come_in_any_order_and_spelling() {
    let (row, faults) =
        checked(ImportKind::Lines, "Password,SIP User,auth_user,Extension\n p w ,1001,,77\n", &sites(&["Vienna"]));

    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((row.sip_user.as_deref(), row.extension.as_deref()), (Some("1001"), Some("77")));
    assert_eq!(row.password.unwrap().reveal(), " p w ");
    assert_eq!(row.site, Some(site(1)));
}

#[test]
fn every_bad_field_of_a_user_is_named_with_what_to_do() {
    let file = "site,name,extension,email,language\nParis,,12 34,ada,german!\n";

    let (row, faults) = checked(ImportKind::Users, file, &sites(&["Vienna", "Graz"]));

    assert_eq!(row.number, 2);
    let fields: Vec<_> = faults.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    assert_eq!(fields, ["site", "name", "extension", "email", "language"], "{faults:?}");
    assert!(faults[0].contains("no site `Paris`"), "{faults:?}");
}

#[test]
fn a_site_is_meant_by_name_by_id_or_by_being_the_only_one() {
    let twice = sites(&["Vienna", "vienna ", "Graz"]);

    assert_eq!(sites(&["Vienna"]).find(""), Ok(site(1)));
    assert_eq!(twice.find("GRAZ"), Ok(site(3)));
    assert_eq!(twice.find(site(2).as_str()), Ok(site(2)));
    assert!(twice.find("Vienna").unwrap_err().contains("2 sites are called"));
    assert!(twice.find("").unwrap_err().contains("3 sites"));
}

#[test]
fn a_device_may_come_from_stock_and_by_the_models_name() {
    let (row, faults) = checked(ImportKind::Devices, "model,mac\nVVX 450,0004.F2A1.B2C3\n", &sites(&["A", "B"]));

    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((row.model.as_deref(), row.mac.as_deref(), row.site), (Some("vvx450"), Some("0004f2a1b2c3"), None));
}

#[test]
fn a_device_of_an_unknown_model_with_half_a_mac_says_both() {
    let (_, faults) = checked(ImportKind::Devices, "model,mac,site\nVVX 9000,0004f2,A\n", &sites(&["A"]));

    let fields: Vec<_> = faults.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    assert_eq!(fields, ["model", "mac", "extension"], "{faults:?}");
}

#[test]
fn a_comma_without_quotation_marks_is_noticed() {
    let (_, faults) = checked(ImportKind::Users, "name,extension\nByron, Ada,1001\n", &sites(&["A"]));

    assert!(faults[0].starts_with("row: has 3 cells, the first row 2"), "{faults:?}");
}

#[test]
fn what_the_database_found_becomes_words_and_few_lines_no_fault() {
    let holds = |model: Option<&str>| Some(if model.is_some() { 2 } else { 34 });
    let fault =
        |kind, finding| fault_of(kind, &finding, holds).map(|fault| format!("{}: {}", fault.field, fault.message));
    let lines = |lines, model: Option<&str>| Finding::Lines { lines, model: model.map(ToOwned::to_owned) };

    assert_eq!(fault(ImportKind::Devices, lines(2, Some("vvx101"))), None);
    assert_eq!(
        fault(ImportKind::Devices, lines(3, Some("vvx101"))).unwrap(),
        "extension: the user has 3 SIP lines with this row; a vvx101 holds 2"
    );
    assert_eq!(fault(ImportKind::Lines, lines(34, None)), None);
    assert!(fault(ImportKind::Users, Finding::InFile { first: 4 }).unwrap().starts_with("extension: is also in row 4"));
    assert!(fault(ImportKind::Devices, Finding::Taken).unwrap().starts_with("mac: the account has a device"));
    assert!(fault(ImportKind::Lines, Finding::NoUser).unwrap().starts_with("extension: nobody"));
}
