"""Learning: the network, how it is fitted, how it is judged, and the backtest."""

import os

# Read when torch is loaded. Its threads otherwise spin while they wait, and an epoch takes five times as long as
# soon as another process wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
