"""Random rotation, shift and noise, which make small images hard enough to tell architectures apart."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from pydantic import BaseModel, ConfigDict, Field


class Augmentation(BaseModel):
    """How strongly images are distorted, in training and in test alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotation: float = Field(default=20.0, ge=0, le=180)
    """Largest rotation, in degrees, to either side."""
    shift: float = Field(default=0.1, ge=0, le=1)
    """Largest shift along each axis, as a fraction of the side."""
    noise: float = Field(default=0.4, ge=0)
    """Standard deviation of the added Gaussian noise, in standard deviations of the images."""

    def __call__(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Distorted copies of images (N, C, H, W), each drawn anew from the generator."""
        count = len(pixels)
        angle = math.radians(self.rotation) * _symmetric((count,), generator)
        # affine_grid measures in half sides.
        shift = 2 * self.shift * _symmetric((count, 2), generator)
        rows = (
            torch.stack([angle.cos(), -angle.sin(), shift[:, 0]], dim=1),
            torch.stack([angle.sin(), angle.cos(), shift[:, 1]], dim=1),
        )
        grid = F.affine_grid(torch.stack(rows, dim=1), list(pixels.shape), align_corners=False)
        moved = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
        return moved + self.noise * torch.randn(moved.shape, generator=generator)


def _symmetric(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Uniform random numbers from -1 to 1."""
    return 2 * torch.rand(shape, generator=generator) - 1


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """Images with mean 0 and standard deviation 1 in each channel."""
    mean = pixels.mean(dim=(0, 2, 3), keepdim=True)
    deviation = pixels.std(dim=(0, 2, 3), keepdim=True)
    return (pixels - mean) / deviation.clamp_min(1e-6)
