"""The CRMs that can be connected.

Each has a connector and its webhooks in files of this folder, by `protocol.py`, and a line in `PROVIDERS`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.integrations.crm.attio import Attio
from healthscore.integrations.crm.attio_records import AttioOptions
from healthscore.integrations.crm.attio_webhooks import AttioWebhooks
from healthscore.integrations.crm.hubspot import HubSpot
from healthscore.integrations.crm.hubspot_records import HubSpotOptions
from healthscore.integrations.crm.hubspot_webhooks import HubSpotWebhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthscore.integrations.crm.options import Options
    from healthscore.integrations.crm.protocol import Capabilities, Connector, Webhooks


@dataclass(frozen=True, slots=True)
class Provider:
    """A CRM that can be connected."""

    options: type[Options]
    connect: Callable[..., Connector]
    """Takes the options, the token, the API's URL (empty for the CRM's own) and a clock."""
    capabilities: Capabilities
    webhooks: Webhooks


PROVIDERS: Mapping[str, Provider] = {
    "hubspot": Provider(HubSpotOptions, HubSpot, HubSpot.capabilities, HubSpotWebhooks()),
    "attio": Provider(AttioOptions, Attio, Attio.capabilities, AttioWebhooks()),
}


def secrets_of(provider: str, text: str) -> dict[str, str]:
    """Read a CRM's part of a secret: `token` and perhaps `url`, or `webhook_secret`.

    Raises:
        ValueError: the secret is not JSON of this form.
    """
    document: Any = None
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("the secret is not JSON") from None
    found = document.get(provider, {}) if isinstance(document, dict) else None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(f"the secret has no object of strings under {provider}")
    return found
