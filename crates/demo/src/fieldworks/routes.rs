//! The operations of v2 as one table: operation, method, path template, what is done.
//! Exports `ROUTES` and `find`.
//! Used by fieldworks; a test holds the table against the contract.
//! Start reading at `ROUTES`.

use model::{Method, Response};

use super::route::{Action, Own, Route};
use super::{Ask, actions};
use crate::data::{Kind, World};

const fn route(
    operation: &'static str,
    method: Method,
    template: &'static str,
    action: Action,
) -> Route {
    Route {
        operation,
        method,
        template,
        action,
    }
}

use Action::{Create, Delete, Get, List, Mark, Part, Patch};
use Kind::{
    Asset, Customer, Event, Invoice, Part as Article, ServiceRequest, Site, StockLevel,
    Subscription, Technician, Visit, WorkOrder,
};
use Method::{Delete as DELETE, Get as GET, Patch as PATCH, Post as POST, Put as PUT};

const fn own(action: fn(&mut World, &Ask<'_>) -> Response) -> Action {
    Action::Own(Own(action))
}

/// Every operation of v2, in the order of the contract.
pub const ROUTES: &[Route] = &[
    route("listCustomers", GET, "customers", List(Customer)),
    route("createCustomer", POST, "customers", Create(Customer)),
    route("getCustomer", GET, "customers/{}", Get(Customer)),
    route("updateCustomer", PATCH, "customers/{}", Patch(Customer)),
    route(
        "mergeCustomers",
        POST,
        "customers/{}/merge",
        own(actions::merge_customers),
    ),
    route(
        "eraseCustomer",
        POST,
        "customers/{}/erasure",
        Mark(Customer, "state", "erased"),
    ),
    route("listSites", GET, "sites", List(Site)),
    route("createSite", POST, "sites", Create(Site)),
    route("getSite", GET, "sites/{}", Get(Site)),
    route("updateSite", PATCH, "sites/{}", Patch(Site)),
    route(
        "getSiteAccess",
        GET,
        "sites/{}/access",
        Part(Site, &["id", "accessCode", "alarmCode", "keySafe"]),
    ),
    route("listAssets", GET, "assets", List(Asset)),
    route("registerAsset", POST, "assets", Create(Asset)),
    route("getAsset", GET, "assets/{}", Get(Asset)),
    route("updateAsset", PATCH, "assets/{}", Patch(Asset)),
    route(
        "reportAssetReading",
        POST,
        "assets/{}/readings",
        own(actions::report_reading),
    ),
    route(
        "listServiceRequests",
        GET,
        "service-requests",
        List(ServiceRequest),
    ),
    route(
        "createServiceRequest",
        POST,
        "service-requests",
        Create(ServiceRequest),
    ),
    route(
        "getServiceRequest",
        GET,
        "service-requests/{}",
        Get(ServiceRequest),
    ),
    route(
        "acceptServiceRequest",
        POST,
        "service-requests/{}/acceptance",
        Mark(ServiceRequest, "status", "accepted"),
    ),
    route(
        "rejectServiceRequest",
        POST,
        "service-requests/{}/rejection",
        Mark(ServiceRequest, "status", "rejected"),
    ),
    route(
        "convertServiceRequest",
        POST,
        "service-requests/{}/conversion",
        own(actions::convert_request),
    ),
    route("listWorkOrders", GET, "work-orders", List(WorkOrder)),
    route("createWorkOrder", POST, "work-orders", Create(WorkOrder)),
    route("getWorkOrder", GET, "work-orders/{}", Get(WorkOrder)),
    route("updateWorkOrder", PATCH, "work-orders/{}", Patch(WorkOrder)),
    route(
        "getWorkOrderBilling",
        GET,
        "work-orders/{}/billing",
        Part(WorkOrder, BILLING),
    ),
    route(
        "completeWorkOrder",
        POST,
        "work-orders/{}/completion",
        Mark(WorkOrder, "status", "completed"),
    ),
    route(
        "cancelWorkOrder",
        POST,
        "work-orders/{}/cancellation",
        Mark(WorkOrder, "status", "cancelled"),
    ),
    route(
        "reopenWorkOrder",
        POST,
        "work-orders/{}/reopening",
        Mark(WorkOrder, "status", "open"),
    ),
    route(
        "addWorkOrderNote",
        POST,
        "work-orders/{}/notes",
        own(actions::add_note),
    ),
    route(
        "setWorkOrderExternalRef",
        PUT,
        "work-orders/{}/external-refs/{}",
        own(actions::set_external_ref),
    ),
    route(
        "recordPartUsage",
        POST,
        "work-orders/{}/part-usages",
        own(actions::record_part_usage),
    ),
    route(
        "reversePartUsage",
        POST,
        "work-orders/{}/part-usages/{}/reversal",
        own(actions::reverse_part_usage),
    ),
    route("listVisits", GET, "visits", List(Visit)),
    route("getVisit", GET, "visits/{}", Get(Visit)),
    route(
        "getVisitEta",
        GET,
        "visits/{}/eta",
        Part(Visit, &["id", "workOrderId", "partnerId", "status", "eta"]),
    ),
    route("assignVisit", POST, "visits/{}/assignment", Patch(Visit)),
    route(
        "rescheduleVisit",
        POST,
        "visits/{}/reschedule",
        Patch(Visit),
    ),
    route("listTechnicians", GET, "technicians", List(Technician)),
    route("getTechnician", GET, "technicians/{}", Get(Technician)),
    route(
        "getTechnicianCard",
        GET,
        "technicians/{}/card",
        Part(Technician, CARD),
    ),
    route("listParts", GET, "parts", List(Article)),
    route("getPart", GET, "parts/{}", Get(Article)),
    route("upsertPart", PUT, "parts/{}", own(actions::upsert_part)),
    route("listStockLevels", GET, "stock-levels", List(StockLevel)),
    route(
        "applyStockMovement",
        POST,
        "stock-movements",
        own(actions::apply_stock_movement),
    ),
    route("listInvoices", GET, "invoices", List(Invoice)),
    route("createInvoice", POST, "invoices", Create(Invoice)),
    route("getInvoice", GET, "invoices/{}", Get(Invoice)),
    route(
        "markInvoiceExported",
        PUT,
        "invoices/{}/export-state",
        Patch(Invoice),
    ),
    route(
        "recordPayment",
        POST,
        "invoices/{}/payments",
        own(actions::record_payment),
    ),
    route(
        "listSubscriptions",
        GET,
        "subscriptions",
        List(Subscription),
    ),
    route(
        "createSubscription",
        POST,
        "subscriptions",
        Create(Subscription),
    ),
    route(
        "rotateSubscriptionSecret",
        POST,
        "subscriptions/{}/secret",
        own(actions::rotate_secret),
    ),
    route(
        "deleteSubscription",
        DELETE,
        "subscriptions/{}",
        Delete(Subscription),
    ),
    route("getEvent", GET, "events/{}", Get(Event)),
    route(
        "replayEvents",
        POST,
        "events/replay",
        own(actions::replay_events),
    ),
];

/// What the bookkeeper's view of a work order consists of; costs come along, as careless views do.
const BILLING: &[&str] = &[
    "id",
    "number",
    "status",
    "completedAt",
    "customer",
    "lines",
    "totals",
    "margin",
];
/// What a technician's card consists of; the telephone comes along.
const CARD: &[&str] = &[
    "id",
    "displayName",
    "employer",
    "photoRef",
    "skills",
    "languages",
    "privateMobile",
];

/// The operation for a path, and the values of its parameters.
pub fn find(method: Method, segments: &[String]) -> Option<(&'static Route, Vec<String>)> {
    ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| Some((route, matched(route.template, segments)?)))
}

pub(super) fn matched(template: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut given = segments.iter();
    for step in template.split('/') {
        let segment = given.next()?;
        match step {
            "{}" => params.push(segment.clone()),
            _ if step == segment => {}
            _ => return None,
        }
    }
    given.next().is_none().then_some(params)
}
