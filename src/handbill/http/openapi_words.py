"""The texts of the OpenAPI document that no operation tells."""

from handbill.wire.values import Schema

ERROR: Schema = {
    "type": "object",
    "description": "Why the request was refused.",
    "properties": {
        "message": {"type": "string", "description": "Description of the fault."},
        "requestId": {
            "type": "string",
            "description": "Id of the request. Quote it when you ask for help.",
        },
    },
    "required": ["message", "requestId"],
}
FAULTS: Schema = {
    "type": "object",
    "description": "Every fault of the request, named by field.",
    "properties": ERROR["properties"]
    | {
        "errors": {
            "type": "array",
            "description": "All faults of the request.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "JSON pointer of the field."},
                    "message": {"type": "string", "description": "Description of the fault."},
                },
                "required": ["field", "message"],
            },
        }
    },
    "required": ["message", "requestId", "errors"],
}
REFUSALS = {
    "400": ("BadRequest", "The request is invalid. errors contains all faults.", "Faults"),
    "401": (
        "Unauthorized",
        "The API key (header x-api-key) or the session is missing or invalid.",
        "Error",
    ),
    "403": (
        "Forbidden",
        "The token (x-authorization-key), its role or scope or the client is missing or bad.",
        "Error",
    ),
    "404": ("NotFound", "Not found, or not accessible to the caller.", "Error"),
    "500": ("ServerError", "An internal error. The request may be repeated safely.", "Error"),
    "503": ("Unavailable", "A temporary problem. Try again after Retry-After.", "Error"),
}
SLOTS = {
    "client_id": "The client's id, as returned by POST /clients. Foreign, deleted and unknown ids "
    "in a path all get the same 404.",
    "campaign_id": "The campaign's id; it must belong to the client in the path.",
    "jobgroup_id": "The job group's id; it must belong to the campaign in the path.",
    "feed_id": "The feed's id; it must belong to the client in the path.",
    "run_id": "The run's id; it must belong to the feed in the path.",
    "config_id": "The config's id; it must belong to the client and publisher in the path.",
    "publisher_id": "The publisher's id, such as TestExp1.",
    "click_id": "The click's jClickId, or its 32 hex digits as the ledger's export has them.",
    "job_reference": "The job's refNumber, percent-encoded; a slash in it as %2F.",
    "rule_id": "The rule's id; it must belong to the client in the header.",
    "rule_run_id": "The run's id; it must belong to the rule in the path.",
    "hold_id": "The hold's id; it must belong to the client in the path.",
    "batch_id": "The value returned by POST /funnel.",
    "taskId": "The taskId returned by POST /stats.",
    "rate_id": "The rate's id, as returned by GET /rates.",
    "markup_id": "The markup's id, as returned by POST /markups.",
    "change_id": "The change's number, as returned by GET /changes.",
    "callback_id": "The callback's id, as returned by GET /callbacks.",
    "report_id": "The reportId returned by the request for the report.",
    "reportId": "The reportId returned by the request for the report.",
    "publisherFamilyId": "The family's id; only the caller's own is accepted.",
    "publisher_family_id": "The family's id: 24 hex digits.",
    "question_id": "The question's id; it must belong to the client in the path.",
    "link": "The secret of the link.",
    "token": "The signed part of a link to a file.",
    "agency_id": "The agency's id. Only the caller's own id is accepted.",
    "prefix": "The first part of the key, which identifies it and is not secret.",
    "person_id": "The person's id: 24 hex digits.",
    "api_client_id": "The API client's id: 25 lower-case letters and digits.",
}
HEADERS = {
    "x-request-id": "Id of the request, for logs and support. If you sent one, it is used.",
    "etag": "Version of the resource, for If-None-Match and If-Match.",
    "link": "The first, previous and next page (RFC 8288), if they exist.",
    "location": "Address of the result.",
}
ABOUT = (
    "Programmatic job advertising: clients, jobs, campaigns, job groups, feeds and stats. Send "
    "x-api-key always and, except for POST /token, x-authorization-key: the access_token of POST "
    "/token. A person sends a session of POST /sessions instead of both, as Authorization: Bearer. "
    "Every error answers {message, requestId}, on 400 with errors[]. Unknown fields are "
    "ignored; values of a fixed list are read in any case; null on an optional field counts as "
    "absent in a create and clears the field in an update. A PUT changes the fields that it names "
    "and leaves the others; PATCH is the same. A token has the scope of its API client: read, "
    "write or both. Each operation names the scope that it needs, and answers 403 without it. "
    "A body may be sent with Content-Encoding gzip or deflate; limits hold for it unpacked, too."
)
TAGS = {
    "Access": "Access tokens, API keys, API clients and the agency.",
    "People": "People who sign in: their roles, sessions and invitations. Additions to the "
    "contract.",
    "Clients": "An agency's clients: the employers whose jobs are advertised.",
    "Jobs": "Jobs of a client, from feeds or added here.",
    "Campaigns": "Campaigns of a client: dates, budgets and overrides.",
    "Job groups": "Job groups: which jobs are published where, at which bids and within which "
    "caps.",
    "Feeds": "Inbound XML feeds, their runs and their faults.",
    "Publishers": "Publishers and their outbound feeds.",
    "Click definitions": "Defines which clicks of a publisher are payable, for all clients or for"
    " one.",
    "Stats": "Reports of clicks, applies and spend.",
    "Reports": "Single-file reports, and their callbacks.",
    "Publisher partners": "Reports for publisher families, with their own keys.",
    "Meta": "The names of campaigns and job groups.",
    "Posting configs": "Slots and durations bought at a publisher.",
    "Posting jobs": "The jobs that take a posting's places.",
    "Rates": "Rates of exchange, by day.",
    "Markups": "Markups on the spend of an agency's customers.",
    "Rules": "Automation rules. They pause, resume and change budgets and bids when their "
    "conditions are met.",
    "Changes": "Who changed what, and when. Additions to the contract.",
    "Funnel": "Status changes of applications: stages and hires.",
    "Installation": "How the installation runs, for its operator. An addition to the contract.",
    "Service": "Whether the service lives and what it offers.",
    "Events": "Conversions, server to server.",
}
