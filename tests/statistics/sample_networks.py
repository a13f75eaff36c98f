"""Networks for the tests, each with a second way to its layers: plain functions and autograd, no tracing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

Taps = dict[str, Tensor]
Reference = list[dict[str, Tensor]]


def relu_conv_batch_norm(x: Tensor, convolution: nn.Conv2d, norm: nn.BatchNorm2d, taps: list[Taps]) -> Tensor:
    """A layer whose tensors are kept: `through` is an alias of T1 that this ReLU alone reads."""
    through = x.view_as(x)
    read = functional.relu(through)
    return conv_batch_norm(read, convolution, norm, taps, {"T1": x, "through": through})


def conv_batch_norm(
    read: Tensor, convolution: nn.Conv2d, norm: nn.BatchNorm2d, taps: list[Taps], kept: Taps
) -> Tensor:
    written = convolution(read)
    output = functional.batch_norm(written, None, None, norm.weight, norm.bias, training=True)
    taps.append({**kept, "T2": read, "T3": convolution.weight, "T4": output})
    return output


def classify(x: Tensor, head: nn.Linear) -> Tensor:
    """Logits whose gradients depend on the input and are not what a batch norm cancels."""
    ramp = torch.linspace(-1.0, 1.0, x[0, 0].numel()).reshape(x.shape[2:])
    logits: Tensor = (100.0 * head((x * ramp).mean((2, 3)))).square()
    return logits


class PreActivation(nn.Module):
    """Two ReLU-Conv-BatchNorm layers with a skip connection around each, and a stem and a head without."""

    def __init__(self, channels: int = 4, *, inplace: bool = False) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels))
        self.first = nn.Sequential(
            nn.ReLU(inplace), nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        )
        self.second = nn.Sequential(
            nn.ReLU(inplace), nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels)
        )
        self.head = nn.Linear(channels, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.first(x.clone())
        x = x + self.second(x.clone())
        return classify(x, self.head)

    def tapped(self, x: Tensor) -> tuple[Tensor, list[Taps]]:
        taps: list[Taps] = []
        x = self.stem(x)
        for block in (self.first, self.second):
            x = x + relu_conv_batch_norm(x, block[1], block[2], taps)
        return classify(x, self.head), taps


class BasicBlock(nn.Module):
    """The block of ResNet-18: one in-place ReLU module used twice, a projection on the skip connection."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.downsample = nn.Sequential(nn.Conv2d(channels, width, 1, stride), nn.BatchNorm2d(width))
        self.relu = nn.ReLU(inplace=True)
        self.bn2 = nn.BatchNorm2d(width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.downsample(x)
        activated: Tensor = self.relu(out)
        return activated

    def tapped(self, t1: Taps, x: Tensor, taps: list[Taps]) -> tuple[Taps, Tensor]:
        first = conv_batch_norm(x, self.conv1, self.bn1, taps, t1)
        second = relu_conv_batch_norm(first, self.conv2, self.bn2, taps)
        out = second + conv_batch_norm(x, self.downsample[0], self.downsample[1], taps, t1)
        through = out.view_as(out)
        return {"T1": out, "through": through}, functional.relu(through)


class ResNet(nn.Module):
    """A small ResNet, registered in an order that is not the order of the data."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 5)
        self.relu = nn.ReLU(inplace=True)
        self.block2 = BasicBlock(6, 8, 1)
        self.block1 = BasicBlock(4, 6, 2)
        self.bn = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn(self.conv(x)))
        return classify(self.block2(self.block1(x)), self.fc)

    def tapped(self, x: Tensor) -> tuple[Tensor, list[Taps]]:
        taps: list[Taps] = []
        stem = functional.batch_norm(self.conv(x), None, None, self.bn.weight, self.bn.bias, training=True)
        through = stem.view_as(stem)
        t1: Taps = {"T1": stem, "through": through}
        x = functional.relu(through)
        for block in (self.block1, self.block2):
            t1, x = block.tapped(t1, x, taps)
        return classify(x, self.fc), taps


class ConvFirst(nn.Module):
    """Three Conv-BatchNorm-ReLU layers, the second depthwise, with a skip connection around the second."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 6, 1, stride=2)]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(width) for width in (4, 4, 6)])
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            out = norm(convolution(x)).relu_()
            x = x + out if index == 1 else out
        return classify(x, self.head)

    def tapped(self, x: Tensor) -> tuple[Tensor, list[Taps]]:
        taps: list[Taps] = []
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            output = conv_batch_norm(x, convolution, norm, taps, {})
            through = output.view_as(output)
            taps[-1] |= {"T1": output, "through": through}
            x = x + functional.relu(through) if index == 1 else functional.relu(through)
        return classify(x, self.head), taps


class FactorizedReduction(nn.Module):
    """The FactorizedReduce of DARTS: convolutions side by side behind one ReLU, the second on a slice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.halves = nn.ModuleList([nn.Conv2d(4, 3, 1, stride=2, bias=False) for _ in range(2)])
        self.norm = nn.BatchNorm2d(6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        read = functional.relu(self.stem(x))
        halves = [self.halves[0](read), self.halves[1](read[:, :, 1:, 1:])]
        return classify(self.norm(torch.cat(halves, dim=1)), self.head)

    def tapped(self, x: Tensor) -> tuple[Tensor, list[Taps]]:
        stem = self.stem(x)
        through = stem.view_as(stem)
        read = functional.relu(through)
        written = torch.cat([self.halves[0](read), self.halves[1](read[:, :, 1:, 1:])], dim=1)
        norm = self.norm
        output = functional.batch_norm(written, None, None, norm.weight, norm.bias, training=True)
        tap = {"T1": stem, "through": through, "T2": read, "T3": self.halves[0].weight, "T4": output}
        return classify(output, self.head), [tap]


@dataclass(frozen=True)
class Drawn:
    """The three inputs, as `collect_statistics` is documented to draw them."""

    data: Tensor
    noise: Tensor
    perturbed: Tensor


def drawn_inputs(inputs: Tensor, seed: int) -> Drawn:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(inputs.shape, generator=generator)
    return Drawn(inputs, noise, inputs + 0.01**0.5 * torch.randn(inputs.shape, generator=generator))


def reference_statistics(model: nn.Module, inputs: Tensor, seed: int = 0) -> Reference:
    """All 22 terminals of a network with a `tapped` method, by autograd alone."""
    drawn = drawn_inputs(inputs, seed)
    data = _reference_pass(model, drawn.data)
    noise = _reference_pass(model, drawn.noise)
    perturbed = _reference_pass(model, drawn.perturbed)
    layers: Reference = []
    for d, n, p in zip(data, noise, perturbed, strict=True):
        layer = {"T3": d["T3"]}
        for stem in set(d) - {"T3"}:
            layer |= {f"{stem}_D": d[stem], f"{stem}_N": n[stem], f"{stem}_P": p[stem] - d[stem]}
        layers.append(layer)
    return layers


def _reference_pass(model: nn.Module, x: Tensor) -> Reference:
    logits, taps = model.tapped(x.clone().requires_grad_())  # type: ignore[operator]
    sources = {"T1": "through", "T2": "T2", "T3": "T3", "T4": "T4"}
    layers: Reference = []
    for tap in taps:
        wanted: Sequence[Tensor] = [tap[source] for source in sources.values()]
        gradients = torch.autograd.grad(
            [logits], wanted, [torch.ones_like(logits)], retain_graph=True, allow_unused=True
        )
        layer = {family: tap[family].detach().clone() for family in sources}
        for family, tensor, gradient in zip(sources, wanted, gradients, strict=True):
            layer[f"{family}G"] = torch.zeros_like(tensor) if gradient is None else gradient
        layers.append(layer)
    return layers
