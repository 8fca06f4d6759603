"""What answers are made of in many places."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

EXACTLY = ConfigDict(extra="forbid")
"""An answer has the fields that are described, and no others."""

Score = Annotated[int, Field(ge=0, le=100)]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Count = Annotated[int, Field(ge=0)]
Band = Literal["healthy", "at_risk", "critical"]
Direction = Literal["improving", "declining", "steady", "unknown"]
ComponentName = Literal["activity", "engagement", "milestones", "recency", "crm"]


@with_config(EXACTLY)
class CrmFacts(TypedDict, total=False):
    """What was said of the CRM: a field that is not there is unknown, null says that there is none."""

    received_at: Annotated[Instant, Field(description="When it was said.")]
    provider: str | None
    open_tickets: Count | None
    high_priority_open: Count | None
    last_meeting_at: Instant | None
    last_email_at: Instant | None
    last_contact_at: Instant | None
    active_deal: bool | None
    deal_updated_at: Instant | None
    renewal_date: Day | None
    churned: bool | None
    arr: float
