use super::*;

#[test]
fn sizes_have_units_and_print_shortly() {
    for text in ["512B", "64KiB", "1MiB", "2GiB"] {
        assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
    }
    for text in ["", "1", "MiB", "1 MiB", "1MB", "-1B", "99999999999GiB"] {
        assert!(text.parse::<ByteSize>().is_err(), "{text}");
    }
}

#[test]
fn address_ranges_are_exact() {
    assert!("10.0.0.0/8".parse::<AddressRange>().is_ok() && "::1".parse::<AddressRange>().is_ok());
    for text in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0", "example.com", ""] {
        assert!(text.parse::<AddressRange>().is_err(), "{text}");
    }
}

#[test]
fn origins_are_scheme_host_and_port() {
    let origin: Origin = "https://ERP.example".parse().unwrap();
    assert_eq!(origin.to_string(), "https://erp.example:443");
    assert_eq!(
        "http://[::1]:9101".parse::<Origin>().unwrap().to_string(),
        "http://[::1]:9101"
    );
    for text in [
        "erp.example",
        "ftp://erp",
        "http://",
        "http://a:0",
        "http://a:b",
        "http://a/b",
        "http://u:p@a",
        "http://[::1",
        "http://a b",
        "http://a:70000",
    ] {
        assert!(text.parse::<Origin>().is_err(), "{text}");
    }
}

#[test]
fn days_are_written_one_way() {
    assert_eq!(
        "2027-03-31".parse::<Day>().unwrap().to_string(),
        "2027-03-31"
    );
    for text in [
        "2027-3-31",
        "31.3.2027",
        "2027-02-30",
        "2027-03-31T00:00:00Z",
    ] {
        assert!(text.parse::<Day>().is_err(), "{text}");
    }
}
