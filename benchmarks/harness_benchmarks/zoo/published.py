"""The published accuracies, from the files of pycls and timm and from the weights' metadata of torchvision.

- facebookresearch/pycls @ 5719de6 (MIT): ``dev/model_error.json``, ``dev/model_complexity.json``.
- huggingface/pytorch-image-models @ aa4b585 (Apache-2.0): ``results/results-imagenet.csv``.
- torchvision (BSD-3): the metadata of each weight in the installed package; nothing is downloaded for it.

Each source also states #Params. They must be those of the networks that are built here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.json_text import parse_json
from harness.data import Download, Files
from harness.errors import DataError
from harness_benchmarks.zoo.building import PYCLS_RESNEXT152
from harness_benchmarks.zoo.recipes import DATASET, RECIPES, SPLIT, Network, networks

if TYPE_CHECKING:
    import pandas as pd

Accuracies = dict[str, dict[str, float]]
"""Top-1 accuracies in percent, by recipe and architecture."""

ERRORS, COMPLEXITY, TIMING = "model_error.json", "model_complexity.json", "model_timing.json"
RESULTS = "results-imagenet.csv"

_PYCLS = "https://raw.githubusercontent.com/facebookresearch/pycls/5719de641657c251f807c20a1fcf8ef6f4b60144/dev"
_TIMM = "https://raw.githubusercontent.com/huggingface/pytorch-image-models/aa4b5850c1543fa488abf260f18390eda46cf85d/results"
FILES = Files(
    "the accuracies of pycls' and timm's networks, and pycls' times",
    (
        Download(
            f"{_PYCLS}/{ERRORS}",
            ERRORS,
            "sha256:7adc8bfd9b4c9f901446bb42a8cc29ea89f62908860a98187bb8e1f741cea0d0",
            3_052,
        ),
        Download(
            f"{_PYCLS}/{COMPLEXITY}",
            COMPLEXITY,
            "sha256:fb78b14580c43fcba71b75491759dfcfc7b50e0b42b39f918f895b42af54049b",
            10_036,
        ),
        Download(
            f"{_PYCLS}/{TIMING}",
            TIMING,
            "sha256:73ed07a3019174da03a7942ddd4b6d473abcc531bc8de58a5bfb431b17c24fa5",
            5_896,
        ),
        Download(
            f"{_TIMM}/{RESULTS}",
            RESULTS,
            "sha256:30972bf7c7ab451bbd4480ec6116b13d0a84441c57bbc946896fd312264acfcd",
            123_104,
        ),
    ),
)

_ROUNDING = 5_010
"""timm's table states #Params in hundredths of a million."""

_SIZES = {"inception_v3": 299}
"""The side of the images that an accuracy of timm's table was measured on, where it is not 224."""

_WEIGHTS = {"torchvision-v1": "IMAGENET1K_V1", "torchvision-v2": "IMAGENET1K_V2"}


def column_of(recipe: str) -> str:
    """The recipe's column of the local table.

    >>> column_of("timm-a1")
    'imagenet-1k/val/timm-a1'
    """
    return f"{DATASET}/{SPLIT}/{recipe}"


class FolderReader:
    """Reads the folder of the published files, with what the installed torchvision says of its own weights."""

    def accepts(self, source: Path) -> bool:
        """Whether it is a folder with one of the tables of accuracies."""
        return source.is_dir() and any((source / name).is_file() for name in (ERRORS, RESULTS))

    def describe(self, source: Path) -> str:
        """The files' names, and the version of torchvision."""
        files = [name for name in (ERRORS, RESULTS) if (source / name).is_file()]
        weights = installed_accuracies()
        version = f"; weights' metadata of torchvision {torchvision_version()}" if weights else "; without torchvision"
        return "published files " + ", ".join(files) + version

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """A row for each network, with an accuracy in the columns of its recipes.

        Raises:
            DataError: if a file is damaged, lacks a network, or belongs to other networks.
        """
        import pandas as pd

        found = {recipe: values for recipe, values in accuracies(source).items() if values}
        columns = {column_of(recipe): pd.Series(values, dtype="float64") for recipe, values in found.items()}
        return pd.DataFrame(columns).reindex(list(networks()))


def accuracies(folder: Path, known: Mapping[str, Network] | None = networks()) -> Accuracies:
    """The published accuracies of every recipe; of the installed torchvision, none if it is not installed.

    Args:
        folder: of the published files; a missing one gives none of its recipes.
        known: the networks that must be there, with the published numbers of parameters; None: take all that there are.

    Raises:
        DataError: if a file is damaged, lacks a network, or belongs to other networks.
    """
    found: Accuracies = {recipe: {} for recipe in RECIPES}
    if (folder / ERRORS).is_file():
        found["pycls-100ep"] = _of_pycls(folder, known)
    if (folder / RESULTS).is_file():
        found |= _of_timm(folder / RESULTS, known)
    return found | (installed_accuracies(known) or {})


def pycls_networks() -> dict[str, str]:
    """The architecture of each network of pycls, by pycls' name."""
    widths = ("200MF", "400MF", "600MF", "800MF", "1.6GF", "3.2GF", "4.0GF", "6.4GF", "8.0GF", "12GF", "16GF", "32GF")
    regnets = {
        f"RegNet{kind}-{width}": f"timm:regnet{kind.lower()}_{_tenths(width):03d}" for kind in "XY" for width in widths
    }
    resnets = {f"ResNet-{depth}": f"timm:resnet{depth}" for depth in (50, 101, 152)}
    resnexts = {f"ResNeXt-{depth}": f"timm:resnext{depth}_32x4d" for depth in (50, 101)}
    efficientnets = {f"EfficientNet-B{number}": f"timm:efficientnet_b{number}" for number in range(6)}
    return {**regnets, **resnets, **resnexts, "ResNeXt-152": PYCLS_RESNEXT152, **efficientnets}


def _tenths(width: str) -> int:
    """Tenths of a billion multiply-accumulates, by which timm names a RegNet."""
    return round(float(width[:-2]) * (10 if width.endswith("GF") else 0.01))


def _configuration(name: str) -> str:
    """The file that pycls' table of complexities names a network by."""
    family, _, size = name.partition("-")
    folder, stem = {
        "EfficientNet": ("effnet", f"EN-{size}"),
        "ResNet": ("resnet", f"R-{size}-1x64d"),
        "ResNeXt": ("resnext", f"X-{size}-32x4d"),
    }.get(family, (family.lower(), name))
    return f"configs/dds_baselines/{folder}/{stem}_dds_8gpu.yaml"


def _of_pycls(folder: Path, known: Mapping[str, Network] | None) -> dict[str, float]:
    errors = read_json(folder / ERRORS)
    has_sizes = (folder / COMPLEXITY).is_file()
    sizes = read_json(folder / COMPLEXITY) if has_sizes else {}
    found = {}
    for name, architecture in pycls_networks().items():
        found[architecture] = round(100 - number_of(errors, (name, "top1_err"), ERRORS), 4)
        if has_sizes and known is not None:
            stated = number_of(sizes, (_configuration(name), "params"), COMPLEXITY)
            _check_params(known, architecture, stated, COMPLEXITY)
    return found


def _of_timm(path: Path, known: Mapping[str, Network] | None) -> Accuracies:
    tags = {recipe.tag: name for name, recipe in RECIPES.items() if recipe.tag}
    found: Accuracies = {name: {} for name in tags.values()}
    for row in _rows(path):
        name, _, tag = row["model"].partition(".")
        if tag not in tags or row["img_size"] != str(_SIZES.get(name, 224)):
            continue
        architecture, recipe = f"timm:{name}", tags[tag]
        try:
            accuracy, millions = float(row["top1"]), float(row["param_count"].replace(",", ""))
        except ValueError:
            raise DataError(f"{path.name}: the row of '{row['model']}' has numbers that cannot be read") from None
        if known is not None:
            if architecture not in known or recipe not in known[architecture].recipes:
                raise DataError(f"{path.name} has '{row['model']}', which is not a network of imagenet-zoo")
            _check_params(known, architecture, millions * 1e6, path.name, tolerance=_ROUNDING)
        found[recipe][architecture] = accuracy
    for network in known.values() if known is not None else ():
        lacking = [
            recipe for recipe in found if recipe in network.recipes and network.architecture not in found[recipe]
        ]
        if lacking:
            raise DataError(f"{path.name} has no accuracy of {network.architecture} for the recipe {lacking[0]}")
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    wanted = {"model", "img_size", "top1", "param_count"}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read: {error}") from None
    if not rows or not wanted <= set(rows[0]):
        raise DataError(f"{path.name} is not timm's table of results; it needs the columns {', '.join(sorted(wanted))}")
    if any(row[name] is None for row in rows for name in wanted):
        raise DataError(f"{path.name} is damaged: a row has too few fields")
    return rows


def torchvision_version() -> str:
    """The version of the installed torchvision."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("torchvision")
    except PackageNotFoundError:
        return "of an unknown version"


def installed_accuracies(known: Mapping[str, Network] | None = networks()) -> Accuracies | None:
    """The accuracies that the installed torchvision states of its own weights; None if it is not installed.

    Raises:
        DataError: if a network has another number of parameters there.
    """
    from harness.scoring import import_torchvision

    try:
        import_torchvision()
        from torchvision import models  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    found: Accuracies = {recipe: {} for recipe in _WEIGHTS}
    for name in models.list_models(module=models):
        for recipe, version in _WEIGHTS.items():
            weight = getattr(models.get_model_weights(name), version, None)
            architecture = f"torchvision:{name}"
            if weight is None or (known is not None and recipe not in _recipes(known, architecture)):
                continue
            meta = weight.meta
            found[recipe][architecture] = float(meta["_metrics"]["ImageNet-1K"]["acc@1"])
            if known is not None:
                _check_params(known, architecture, meta["num_params"], "torchvision")
    return found


def _recipes(known: Mapping[str, Network], architecture: str) -> tuple[str, ...]:
    return known[architecture].recipes if architecture in known else ()


def _check_params(
    known: Mapping[str, Network], architecture: str, stated: float, source: str, tolerance: float = 0
) -> None:
    params = known[architecture].params
    if abs(params - stated) > tolerance:
        raise DataError(
            f"{source} gives {stated:.12g} parameters for '{architecture}', but the network has {params}: this is "
            "another network"
        )


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        DataError: if it is no such file.
    """
    try:
        content = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, Mapping):
        raise DataError(f"{path.name} is not one of pycls' files, which map names to numbers")
    return content


def number_of(content: Mapping[str, Any], place: tuple[str, str], name: str) -> float:
    """A number of one of pycls' files.

    Raises:
        DataError: if it is not there; the message names the place.
    """
    entry = content.get(place[0])
    value = entry.get(place[1]) if isinstance(entry, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{name} has no number '{place[1]}' of '{place[0]}'")
    return float(value)
