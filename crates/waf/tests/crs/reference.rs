//! The three reference requests of the benchmark.

use crate::requests::raw;

/// One work order, about 887 bytes of JSON.
pub fn work_order(number: usize) -> serde_json::Value {
    serde_json::json!({
        "id": format!("3f2504e0-4f89-41d3-9a0c-0305e82c{:04}", 3300 + number),
        "number": format!("WO-2026-{:05}", 4711 + number),
        "status": "scheduled",
        "priority": 2,
        "title": "Replace the circulation pump in the boiler room",
        "description": "The pump in the boiler room on level -1 is loud and leaks a little. Please bring a gasket DN50 and check the pressure afterwards, the tenant asks for a call before arrival.",
        "site": { "id": "site-204", "name": "Riverside Tower", "street": "Harbour Road 12", "city": "Rotterdam", "postal_code": "3011 AB", "country": "NL" },
        "asset": { "serial": "GRF-88213-B", "model": "MAGNA3 50-120", "installed_on": "2019-04-17" },
        "contact": { "name": "Jan de Vries", "phone": "+31 10 123 45 67", "email": "jan.devries@example.com" },
        "scheduled_from": "2026-11-24T08:00:00Z",
        "scheduled_to": "2026-11-24T10:00:00Z",
        "estimate": 240.50,
        "currency": "EUR",
        "photos": ["pump-1.jpg", "pump-2.jpg"],
        "tags": ["heating", "leak"],
        "approved": true,
        "notes": "Key at the reception, ask for Ms Bakker."
    })
}

/// Name and raw bytes of the three reference requests.
pub fn reference() -> Vec<(&'static str, Vec<u8>)> {
    let one = work_order(0).to_string();
    let many = serde_json::Value::Array((0..14).map(work_order).collect()).to_string();
    vec![
        (
            "GET list",
            raw(
                "GET",
                "/v2/work-orders?status=scheduled&from=2026-11-01&page=2&limit=50",
                "",
                b"",
            ),
        ),
        (
            "POST one",
            raw(
                "POST",
                "/v2/work-orders",
                "application/json",
                one.as_bytes(),
            ),
        ),
        (
            "POST 14",
            raw(
                "POST",
                "/v2/work-orders/batch",
                "application/json",
                many.as_bytes(),
            ),
        ),
    ]
}
