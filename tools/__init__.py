"""What developers and operators run from a checkout: the local stack, its demo workspace, the command for keys."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the checkout."""

# Lambda finds `healthscore` in its layer; a checkout finds it here.
sys.path.insert(0, str(ROOT / "shared"))
