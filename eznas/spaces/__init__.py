"""Search spaces: families of architectures, each a text that builds a `torch.nn.Module`."""

from eznas.spaces.registry import get, names
from eznas.spaces.space import Space

__all__ = ["Space", "get", "names"]
