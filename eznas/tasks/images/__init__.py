"""Labelled images from the files and folders in which people have them, and how each set is normalised."""

from eznas.tasks.images.archive import write_npz
from eznas.tasks.images.labelled import Images
from eznas.tasks.images.loading import MNIST, load_images
from eznas.tasks.images.normalisation import DATA_SETS, NORMALISATIONS, DataSet, Normalisation

__all__ = [
    "DATA_SETS",
    "MNIST",
    "NORMALISATIONS",
    "DataSet",
    "Images",
    "Normalisation",
    "load_images",
    "write_npz",
]
