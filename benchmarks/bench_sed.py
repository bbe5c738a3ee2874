"""Pixels per second of the fit of model spectra, beside a plain numpy loop over pixels, and how
they go with pixels and models.

    python benchmarks/bench_sed.py [--pixels 2000] [--models 50000] [--device cpu]

Pixels are models of another seed with noise, in 18 bands. The plain loop does the same sums for one
pixel at a time in double precision: chi2 of every model, weights, means and standard deviations of
26 bands and 9 properties, without flattened weights. The best of three runs counts. Also: the
library's making, its reading from disk, and one pixel's posterior with its spectrum.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable

import numpy as np

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.sed.compose import EXTENSIVE, INTENSIVE
from napari_galaxy_maps.sed.fit import fit
from napari_galaxy_maps.sed.library import Library, build_library
from napari_galaxy_maps.sed.likelihood import light_of_data
from napari_galaxy_maps.sed.posterior import posterior


def best(work: Callable[[], object], runs: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def pixels(n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Surface brightness and errors of n made-up pixels, (18, n) each, MJy/sr."""
    truth = build_library(LibrarySettings(n_models=max(n, 100), seed=77), 0.0, cache=False)
    light = truth.light[:n, truth.columns(INPUT_BANDS)].T * 1e7 / light_of_data(0.0, None)
    error = noise * light
    return light + error * np.random.default_rng(0).standard_normal(light.shape), error


def plain(data: np.ndarray, error: np.ndarray, library: Library) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations, one pixel after the other."""
    factor = light_of_data(0.0, None)
    models = library.light[:, library.columns(INPUT_BANDS)].astype(float)
    outputs = np.column_stack(
        [library.light, *(library.properties[name] for name in EXTENSIVE)]
    ).astype(float)
    others = np.column_stack([library.properties[name] for name in INTENSIVE]).astype(float)
    means, sigmas = [], []
    for d, e in zip(data.T * factor, error.T * factor, strict=True):
        e = np.hypot(e, library.settings.extra_error * d)
        curvature = ((models / e) ** 2).sum(1)
        scale = np.maximum((models * (d / e**2)).sum(1) / curvature, 0)
        chi2 = (((d - scale[:, None] * models) / e) ** 2).sum(1)
        weight = np.exp(-0.5 * (chi2 - chi2.min()))
        weight /= weight.sum()
        values = np.hstack([scale[:, None] * outputs, others])
        mean = weight @ values
        extra = np.append((weight / curvature) @ outputs**2, np.zeros(others.shape[1]))
        means.append(mean)
        sigmas.append(np.sqrt(np.maximum(weight @ values**2 + extra - mean**2, 0)))
    return np.array(means).T, np.array(sigmas).T


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pixels", type=int, default=2000)
    parser.add_argument("--models", type=int, default=50_000)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    settings = LibrarySettings(n_models=arguments.models)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        library = build_library(settings, 0.0, cache=folder)
        made = time.perf_counter() - start
        read = best(lambda: build_library(settings, 0.0, cache=folder))
    print(f"{len(library)} models: made in {made:.1f} s, read from disk in {1000 * read:.0f} ms")
    print("pixels  models  noise   pixels/s  plain/s  ratio  largest difference of fluxes, dex")
    for n, models, noise in (
        (arguments.pixels // 10, arguments.models, 0.05),
        (arguments.pixels, arguments.models, 0.05),
        (arguments.pixels, arguments.models, 0.3),
        (arguments.pixels, arguments.models // 5, 0.05),
        (arguments.pixels, arguments.models * 4, 0.05),
    ):
        chosen = (
            library
            if models == len(library)
            else build_library(LibrarySettings(n_models=models), 0.0, cache=False)
        )
        data, error = pixels(n, noise)
        fit(data[:, :64], error[:, :64], INPUT_BANDS, chosen, device=arguments.device)
        seconds = best(
            lambda d=data, e=error, m=chosen: fit(d, e, INPUT_BANDS, m, device=arguments.device)
        )  # type: ignore[misc]
        few = data[:, :20], error[:, :20]
        slow = best(lambda d=few, m=chosen: plain(*d, m), 1)  # type: ignore[misc]
        ours = fit(*few, INPUT_BANDS, chosen, device=arguments.device, least_models=1)
        theirs = plain(*few, chosen)[0][:26] / light_of_data(0.0, None)
        off = np.max(np.abs(np.log10(ours.flux / theirs)))
        print(
            f"{n:6d} {models:7d} {noise:6.2f} {n / seconds:10.0f} {20 / slow:8.1f} "
            f"{n / seconds / (20 / slow):6.0f}  {off:.1e}"
        )
    data, error = pixels(100, 0.1)
    posterior(data[:, 0], error[:, 0], INPUT_BANDS, library).spectrum()
    times: dict[str, list[float]] = {"posterior": [], "percentiles": [], "spectrum": []}
    for d, e in zip(data.T[:50], error.T[:50], strict=True):
        marks = [time.perf_counter()]
        one = posterior(d, e, INPUT_BANDS, library)
        marks.append(time.perf_counter())
        one.flux_percentiles(), one.property_percentiles()
        marks.append(time.perf_counter())
        one.spectrum()
        marks.append(time.perf_counter())
        for name, seconds in zip(times, np.diff(marks), strict=True):
            times[name].append(1000 * seconds)
    print(
        "one pixel, ms (median, 95 %): "
        + "; ".join(f"{k} {np.median(v):.1f}, {np.percentile(v, 95):.1f}" for k, v in times.items())
    )


if __name__ == "__main__":
    main()
