//! Why policy refuses a caller, an operation or an object.
//! Exports the reasons of the stages `authz` and `object`; those of limits, blocks and parameters stand beside their checks.
//! Used by whatever decides here, and by the gateway.
//! Start reading at `OPERATION_NOT_GRANTED`.

use model::{Reason, Stage};

/// No grant covers the operation.
pub const OPERATION_NOT_GRANTED: Reason = Reason::new(
    Stage::Authz,
    "authz.operation_not_granted",
    403,
    "This integration may not use this operation.",
    "Ask the operator of the gateway for the grant named in the scope, quoting the decision id.",
    "The operation is exposed, but no grant of the integration covers it. `portcullis explain` names the nearest grant. \
     Add the operation to a grant of the integration if the use is wanted.",
);

/// A grant covers the operation, but its condition does not hold for this request.
pub const CONDITION_FAILED: Reason = Reason::new(
    Stage::Authz,
    "authz.condition_failed",
    403,
    "This operation is granted under a condition that this request does not meet.",
    "Check the parameters, the network and the time of the call against what was agreed, or ask the operator, quoting the decision id.",
    "A grant covers the operation, but its condition over caller, network, time or parameters does not hold, or a policy forbids \
     the request. `portcullis explain` names the policy, or evaluates the conditions again and names those that do not hold; those that ask for \
     the query, which is not recorded, `portcullis can` evaluates. Change the grant's condition or the policy if the use is wanted.",
);

/// The caller may not have this object.
pub const OBJECT_DENIED: Reason = Reason::new(
    Stage::Object,
    "object.denied",
    403,
    "This integration may not use this object.",
    "Use objects that belong to the integration, or ask the operator, quoting the decision id.",
    "The operation is granted, but no grant's condition holds for the object, or a policy forbids it. An object whose attributes \
     are missing in the answer never satisfies a condition. `portcullis explain` names the policy or the conditions; what the object held is not \
     recorded, and `portcullis can` with `--object` evaluates it.",
);

/// There is no such object, or the caller may not know that there is. The gateway answers an upstream 404 of a
/// guarded operation with this same reason.
pub const ABSENT: Reason = Reason::new(
    Stage::Object,
    "object.absent",
    404,
    "There is no such object.",
    "Check the id. Objects that this integration may not see read the same as objects that do not exist.",
    "The upstream knows no such object, or the object is hidden from the integration (`deny_as: not_found`); the caller cannot tell \
     these apart. `portcullis explain` says which it was.",
);

/// The caller may not create such an object. Nothing is hidden by saying so: the request alone decided.
pub const CREATE_DENIED: Reason = Reason::new(
    Stage::Object,
    "object.create_denied",
    403,
    "This integration may not create an object with these values.",
    "Send values as they were agreed for this integration, or ask the operator, quoting the decision id.",
    "The operation is granted, but no grant's condition holds for the object as the request body describes it, or a policy forbids it. No \
     object exists yet, so none is hidden: the answer is 403 also where the grant says `deny_as: not_found`. `portcullis explain` names the policy or \
     the conditions; bodies are not recorded, and `portcullis can` with `--object` evaluates one. Change the values sent, or the grant's condition.",
);

/// The request names more objects than are looked up for one request.
pub const TOO_MANY: Reason = Reason::new(
    Stage::Object,
    "object.too_many",
    400,
    "The request names too many objects at once.",
    "Send the same in several smaller requests.",
    "Objects that a request names are looked up and judged before it is forwarded, at most `lookups_max` of them for one request \
     (a setting of the api's version, 32 where it says nothing). This is a bound, not a missing right: raise it, or lower the \
     contract's `maxItems`, so that callers see it.",
);

/// The body says that it is about another object than the path.
pub const ID_DIFFERS: Reason = Reason::new(
    Stage::Object,
    "object.id_differs",
    400,
    "The body names another object than the path.",
    "Send the id of the path in the body, or leave it out.",
    "A request is sent to one object, and the id in its body is another one (or `null`). Which of the two a system takes cannot be told, so neither is changed. The id is the member that is called like the parameter, else `id`, or the one that `id` of the kind names. Ids are not changed through the gateway.",
);

/// A body that says what to do with an object, and not what becomes of it.
pub const PATCH_STEPS: Reason = Reason::new(
    Stage::Object,
    "object.patch_steps",
    415,
    "Steps of a patch document are not accepted for this object.",
    "Send the changed fields as an object (`application/merge-patch+json` or `application/json`, as the contract declares).",
    "The integration may change the object only while a condition holds, also afterwards. What a list of steps (`application/json-patch+json`, RFC 6902) makes of the object is not worked out, so nothing is changed.",
);

/// A body in which an attribute may stand deeper than it is looked for.
pub const TOO_DEEP: Reason = Reason::new(
    Stage::Object,
    "object.too_deep",
    400,
    "The body is nested too deeply.",
    "Send it with less nesting.",
    "The condition of the grant asks for an attribute that the contract declares nowhere in the body. It is looked for wherever an undeclared field could carry it, down to 16 objects within each other. This is a bound, not a missing right: declare where the attribute stands in the body.",
);
