"""Networks and batches for the tests of proxies."""

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 4
IMAGES = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
TARGETS = torch.tensor([0, 1, 2, 3, 0, 1])


class Varied(nn.Module):
    """Batch norm, dropout, ReLU of three kinds, weights that are not contiguous, a buffer."""

    scale: Tensor

    def __init__(self, *, dropout: float = 0.3) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.first_norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 6, 3, stride=2, groups=2, bias=False)
        self.second_norm = nn.BatchNorm2d(6)
        self.third = nn.Conv2d(6, 6, 1)
        self.shared = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(6, CLASSES)
        self.register_buffer("scale", torch.full((1, 6, 1, 1), 0.5))
        for convolution in (self.first, self.second):
            weight = convolution.weight.detach()
            convolution.weight = nn.Parameter(weight.transpose(2, 3).contiguous().transpose(2, 3))
            assert not convolution.weight.is_contiguous()

    def forward(self, x: Tensor) -> Tensor:
        x = self.shared(self.first_norm(self.first(x)))
        x = functional.relu(self.second_norm(self.second(x)))
        x = x + self.shared(self.third(x) * self.scale)
        return self.head(self.dropout(x).mean((2, 3)))


def varied(seed: int = 0, *, dropout: float = 0.3) -> Varied:
    """The network with weights drawn from a seed, some of them zero of either sign."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Varied(dropout=dropout)
    with torch.no_grad():
        model.first.weight[0, 0, 0, :2] = torch.tensor([0.0, -0.0])
        model.first_norm.weight.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(seed))
    return model


def smooth() -> nn.Sequential:
    """A tiny network with second derivatives everywhere, of one convolution and two linear layers."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(
            nn.Conv2d(3, 2, 3, stride=3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 3), nn.Tanh(), nn.Linear(3, 4)
        )
