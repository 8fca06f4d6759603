"""What the bodies of the CRM's routes look like, which are checked by hand, for the API's description."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from healthscore.core.json_types import Shown
from healthscore.integrations.crm.registry import PROVIDERS

_options: Any = reduce(or_, (provider.options for provider in PROVIDERS.values()))
CrmOptions: Any = Annotated[_options, Shown(description="The options of the CRM that the path names.")]
Webhook = Annotated[Any, Shown(description="Whatever the CRM sends.")]
