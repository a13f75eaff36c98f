"""The NDS spaces: networks of the DARTS skeleton with the cells of five architecture searches."""

from eznas.spaces.nds.record import architecture_text, record_net
from eznas.spaces.nds.spaces import NDS_SPACES, NdsSpace

__all__ = ["NDS_SPACES", "NdsSpace", "architecture_text", "record_net"]
