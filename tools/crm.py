"""Create the properties in a CRM that scores are written to.

    python -m tools.crm create-properties hubspot --secret ARN

The token is read from the secret of the stack (`--secret`, or CRM_SECRET_ARN) with the AWS credentials and region
of the shell, and is never shown.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from healthscore.integrations.crm import options
from healthscore.integrations.crm.protocol import CrmError
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.services.crm_sync.secrets import secrets

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.crm", description="Prepare a CRM for scores.")
    parser.add_argument("command", choices=["create-properties"])
    parser.add_argument("provider", choices=list(PROVIDERS))
    parser.add_argument("--secret", help="ARN of the stack's secret (output CrmSecretArn)")
    parser.add_argument("--account-property", default="account_id", help="the property that holds the account's id")
    given = parser.parse_args(arguments)
    if given.secret:
        os.environ["CRM_SECRET_ARN"] = given.secret
    if not os.environ.get("CRM_SECRET_ARN"):
        return _refuse("Say which secret: --secret ARN.")
    provider = PROVIDERS[given.provider]
    try:
        chosen = options.read(provider.options, {"account_property": given.account_property})
        found = secrets(given.provider)
        if not found.get("token"):
            return _refuse(f"The secret holds no token for {given.provider}.")
        created = provider.connect(chosen, found["token"], found.get("url", ""), None).create_properties()
    except (BotoCoreError, ClientError, CrmError, ValueError) as error:
        return _refuse(str(error))
    print(f"Created: {', '.join(created)}." if created else "Everything was there already.")
    return 0


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
