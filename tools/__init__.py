"""What developers and operators run from a checkout: the local stack with its demo workspace, operators' commands."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the checkout."""

# In Lambda, `healthscore` is in the layer; in a checkout, it is here.
sys.path.insert(0, str(ROOT / "shared"))
