"""What fields that are sent mean, and what errors say: the words beside the schemas."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

FIELDS = {
    "EventBatch.events": "Up to 2,500. A bad one rejects itself, never its neighbours.",
    "Event.event_id": (
        "Recommended: the same event sent again must carry the same id, and is then counted once, however often and "
        "however late it comes. Left out, it is derived from everything else in the event."
    ),
    "Event.account_id": "The customer. Ids are text that people can see and type: `é` and `/` are fine, emoji are not.",
    "Event.name": "What was done. Compared exactly, with capitals and all.",
    "Event.timestamp": (
        "When it was done: RFC 3339 with an offset, kept to the millisecond. From `retention_days` ago up to 15 "
        "minutes ahead."
    ),
    "Event.user_id": "Who did it.",
    "Event.anonymous_id": "A visitor who has not signed in.",
    "Event.session_id": "Left out, sessions are told apart by pauses of 30 minutes.",
    "Event.value": (
        "A count that was summed up before it was sent, such as 120 messages; kept to six decimals. It still is one "
        "event of activity."
    ),
    "Event.properties": "An object of your own, up to 32 KiB as compact JSON; checked, not scored and not stored.",
    "Profile.name": "Spaces around it are taken off, as in all texts of a profile.",
    "Profile.owner": "Who looks after the account.",
    "Profile.owner_email": "One e-mail address.",
    "Profile.plan": "The plan or edition that the customer has bought.",
    "Profile.arr": "Annual recurring revenue, in the workspace's one currency.",
    "Profile.renewal_date": "When the contract renews.",
    "Profile.created_at": "Since when it is a customer: a day, or an instant with an offset.",
    "Profile.attributes": "Whatever else there is to know, flat; up to 16 KiB as compact JSON.",
    "Profile.champions": "Ids of the users who stand up for the product.",
    "Profile.expected_cadence_days": "How many days may pass between two visits while all is well.",
    "Profile.usage_mode": "Used all year round, or in bursts, such as at the end of a quarter.",
    "Crm.provider": "Where the facts come from.",
    "Crm.open_tickets": "How many support tickets are open, those of high priority included.",
    "Crm.high_priority_open": "How many of them are of high priority; true and false stand for 1 and 0.",
    "Crm.last_meeting_at": "When the last meeting was.",
    "Crm.last_email_at": "When the last e-mail was exchanged.",
    "Crm.last_contact_at": "When the last contact of any kind was.",
    "Crm.active_deal": "Whether a deal is open, or won with its renewal ahead.",
    "Crm.deal_updated_at": "When that deal was last touched.",
    "Crm.renewal_date": "When the deal renews.",
    "Crm.churned": "Whether the customer has left.",
    "WorkspaceSettings.timezone": "IANA name of the zone whose days are counted; fixed by the first event.",
    "WorkspaceSettings.milestones": "Names of the events that count as milestones, for the past as well.",
    "WorkspaceSettings.retention_days": "How far back events are accepted and scores can be asked for.",
    "WorkspaceSettings.alerts": "Which changes are alerted; a rule that is left out has its defaults.",
    "Alerts.band_fell": "The band is lower than before.",
    "Alerts.declining": "The score lies far below the mean of the seven days before.",
    "Alerts.silent": "Nobody was seen for some days.",
    "Alerts.score_fell": "The score fell far within some days.",
    "Alerts.recovered": "The account is healthy again.",
    "Alerts.ticket_opened": "A connected CRM says that a ticket of high priority was opened, where none was open.",
    "Acknowledgement.by": "Who has it in hand.",
    "Acknowledgement.reason": "Why, or how; shown with the alert.",
    "Snooze.by": "Who says so.",
    "Snooze.reason": "Why; shown with the alert, and told when the time is over.",
    "Snooze.until": "When it is to be told again if nothing has changed: in the future, at most 30 days ahead.",
    "Rule.enabled": "Whether it is on.",
    "Declining.enabled": "Whether it is on.",
    "Declining.points": "How far below.",
    "Silent.enabled": "Whether it is on.",
    "Silent.days": "How many days.",
    "ScoreFell.enabled": "Whether it is on.",
    "ScoreFell.points": "How far.",
    "ScoreFell.days": "Within how many days.",
}
"""By schema and field. The generator refuses to work where one is missing."""


class Fault(NamedTuple):
    """An error code: the status that it comes with, and what it means."""

    status: HTTPStatus
    meaning: str


ERRORS = {
    "invalid_json": Fault(HTTPStatus.BAD_REQUEST, "The body is empty, cut off, no JSON, no UTF-8, or damaged gzip."),
    "invalid_request": Fault(
        HTTPStatus.BAD_REQUEST,
        "A field, a query parameter or an id in the path is wrong; `message` says which and why. Nothing was changed.",
    ),
    "all_rejected": Fault(
        HTTPStatus.BAD_REQUEST, "Not one event of the batch could be taken; `rejected` lists why. Nothing was stored."
    ),
    "as_of_in_future": Fault(HTTPStatus.BAD_REQUEST, "`as_of` is later than now; leave it out to ask about now."),
    "as_of_too_old": Fault(HTTPStatus.BAD_REQUEST, "`as_of` lies further back than `retention_days`."),
    "invalid_key": Fault(HTTPStatus.UNAUTHORIZED, "No key was sent, or one that is not known or was revoked."),
    "wrong_scope": Fault(HTTPStatus.FORBIDDEN, "The key is good, and may not do this."),
    "invalid_signature": Fault(
        HTTPStatus.UNAUTHORIZED, "The webhook is not signed by the CRM's secret, or was taken before."
    ),
    "not_found": Fault(
        HTTPStatus.NOT_FOUND,
        "There is no such path, often an account id that should be written with `~`; or no such CRM is connected.",
    ),
    "account_not_found": Fault(HTTPStatus.NOT_FOUND, "The path is right, and no account of that id is known."),
    "alert_not_found": Fault(
        HTTPStatus.NOT_FOUND, "There is no such alert of an account; what is said of the whole workspace is none."
    ),
    "alert_not_open": Fault(HTTPStatus.CONFLICT, "The alert was withdrawn, or is good news: nothing to take in hand."),
    "method_not_allowed": Fault(
        HTTPStatus.METHOD_NOT_ALLOWED, "The path is right and takes other methods; see the header `Allow`."
    ),
    "erasure_unfinished": Fault(
        HTTPStatus.SERVICE_UNAVAILABLE, "The erasure has begun and needs more time; send the same request again."
    ),
    "timezone_fixed": Fault(
        HTTPStatus.CONFLICT, "The time zone cannot change once there are events: they are stored by its days."
    ),
    "body_too_large": Fault(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body has more than 5 MiB after inflating; split it."
    ),
    "too_many_events": Fault(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The batch has more than 2,500 events; split it. Nothing was stored."
    ),
    "internal_error": Fault(
        HTTPStatus.INTERNAL_SERVER_ERROR, "A mistake of ours; the log has it under the `request_id`."
    ),
    "storage_unavailable": Fault(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Storage did not answer in time. Wait as long as `Retry-After` says and send the same again: nothing is "
        "counted twice.",
    ),
}
"""Every error code."""

REJECTIONS = {
    "invalid_event": "it is no object, a required field is missing or null, or a field has the wrong type",
    "unknown_field": "it has a field that there is not; data of your own goes into `properties`",
    "invalid_id": "an id is empty, has a space at an end, or holds invisible characters or emoji",
    "invalid_name": "the name is empty, has white space at an end, or holds control characters",
    "too_long": "an id or the name is too long",
    "invalid_timestamp": "the timestamp is no RFC 3339 text with an offset, or there is no such time",
    "timestamp_too_old": "it is older than `retention_days`, counted from the moment of receipt",
    "timestamp_in_future": "it is more than 15 minutes ahead of the moment of receipt",
    "invalid_value": "the value is no number, or beyond ±10¹²",
    "properties_too_large": "the properties take more than 32 KiB",
}
"""Every code with which a single event is rejected, and because of what."""
