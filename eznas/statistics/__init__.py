"""Statistics of untrained networks: the tensors of their layers, and how they are collected."""

from eznas.statistics.collection import collect_statistics
from eznas.statistics.geometries import geometry_of_convolution
from eznas.statistics.initialise import initialise, network_seed
from eznas.statistics.layer_table import LayerTable
from eznas.statistics.layers import Structure
from eznas.statistics.network import NetworkStatistics

__all__ = [
    "LayerTable",
    "NetworkStatistics",
    "Structure",
    "collect_statistics",
    "geometry_of_convolution",
    "initialise",
    "network_seed",
]
