"""The model stellar-unet: maps of stars and gas from optical images, after PICASSO (Buck & Wolf
2021).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...data.flags import Flag, as_flags
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...device import resolve_device
from ...exceptions import ModelError
from ...progress import Progress, Steps, run_to_end
from ..base import RELATIONS
from ..card import ModelCard
from .band_choice import advice_on, usable
from .calibration import Calibration, depth_of, off_in_dex, sharpness_of
from .colour_cloud import ColourCloud
from .disk_arrays import release, scratch_array
from .domain import BLOCK, Domain, LastVerdict, Verdict, block_means, vectors_of_blocks
from .galaxy_size import about_size, check_size, factor_for, galaxy_size
from .image_tiles import cut, tiles
from .inputs import N_CHANNELS, band_set, check_card
from .library import ARRAYS, Library, average_features
from .orientations import ensemble, looks
from .outputs import STELLAR_PROPERTIES, TARGETS
from .remarks import unknown_redshift, without_redshift
from .shown_cube import averaged, binned, enlarged, redshift_of, share_inside, uncut

if TYPE_CHECKING:
    import torch

    from ...data.cube import BandCube
    from ...data.galaxy import Galaxy
    from .network import UNet


LN10 = float(np.log(10.0))
REACH = 128
"""Pixels beyond which a pixel has no influence on another (`models.stellar_unet.network.HALO`)."""
TILE = {"cpu": 512, "cuda": 2048, "mps": 1024}
"""Side in pixels of what is predicted at a time, by device."""
FAINT_SIGMA = 3.0
_WHOLE = 512
"""Side in pixels of images whose features are computed in one piece, where there is no library to
compare them with.
"""


_ADDITIVE = np.array([PROPERTIES[name].additive for name in STELLAR_PROPERTIES])


@dataclass(frozen=True)
class StellarUNet:
    """Stars and gas of every pixel, with uncertainties, from any of ugriz.

    Attributes
    ----------
    network : UNet
        Without normalisations.
    settings : mapping
        How the network is built: ``widths``, ``hidden``, ``pyramid``, ``head``.
    calibration : Calibration
        Brings the network's values and sigmas to what was measured.
    cloud : ColourCloud
    library : Library
    card : ModelCard
    weights_hash : str
        SHA-256 of the weights file.
    relations : bool
        Whether the scaling relations of the galaxies that it learnt from count.
    domain : Domain, optional
        What it was trained on; without it, as of earlier weights, no galaxy is judged.
    members : int
        Orientations in which it looks at a galaxy (`orientations`).
    """

    network: UNet
    settings: Mapping[str, Any]
    calibration: Calibration
    cloud: ColourCloud
    library: Library
    card: ModelCard
    weights_hash: str = ""
    relations: bool = True
    domain: Domain | None = None
    members: int = 1
    has_remarks: ClassVar[bool] = False  # its weights would take longer to read than most cubes
    reach: int = field(default=REACH, init=False)
    _last: LastVerdict = field(default_factory=LastVerdict, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return self.card.name

    def check_bands(self, bands: Sequence[str]) -> tuple[str, ...]:
        """The bands out of `bands` that it uses; raises `ModelError` where there is none."""
        return usable(self.card, bands)

    @classmethod
    def bands_used(cls, card: ModelCard, bands: Sequence[str]) -> tuple[str, ...]:
        """`check_bands` by the card alone."""
        return usable(card, bands)

    @classmethod
    def without_distance(cls, card: ModelCard, galaxy: Galaxy, pixel_arcsec: float | None) -> str:
        """What it costs that neither redshift nor distance is known; empty where one is."""
        known = galaxy.redshift is not None or galaxy.distance_mpc is not None
        return "" if known else without_redshift(card)

    @classmethod
    def band_advice(cls, card: ModelCard, bands: Sequence[str]) -> str:
        """A sentence on the bands that it is given: what is missing, what would make it better."""
        return advice_on(card, bands)

    def predict_steps(
        self,
        cube: BandCube,
        device: str = "auto",
        where: tuple[slice, slice] | None = None,
        tile: int | None = None,
    ) -> Steps[PropertyMaps]:
        """Predict maps, yielding after every tile.

        Parameters
        ----------
        cube : BandCube
            Surface brightness in MJy/sr in any bands; those of ugriz are used.
        device : str
            ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        where : tuple of slice, optional
            Rows and columns to predict; the others are NaN. By default all.
        tile : int, optional
            Side in pixels of what is predicted at a time, a multiple of 16; by default as suits the
            device.

        Returns
        -------
        PropertyMaps
            Those of `STELLAR_PROPERTIES` that the model was taught; NaN where the cube is masked or
            has none of the bands. Large maps lie in temporary files, mapped to memory.

        Raises
        ------
        ModelError
            When there is none of the bands or the device is not there.
        """
        import torch

        from .network import STRIDE

        used = self.check_bands(cube.bands)
        size = galaxy_size(cube.only(used))
        check_size(size, cube)
        factor = factor_for(size, cube.shape)
        on = resolve_device(device)
        network = self.network.to(on)
        values, errors = (scratch_array((len(STELLAR_PROPERTIES), *cube.shape)) for _ in range(2))
        flags = as_flags(cube.flags)
        # So many pixels of the network in those of the image.
        side, halo = (-(-n // (factor * STRIDE)) * STRIDE for n in (tile or TILE[on], REACH))
        parts = list(tiles(cube.shape, side, halo, STRIDE, where))
        shown = uncut(cube)
        try:
            for i, part in enumerate(parts):
                data, sigma = self._window(shown, part.window)
                value, spread = self._predicted(network, data, sigma, cube, factor, part.inner, on)
                seen, noise = (planes[:, *part.inner] for planes in (data, sigma))
                filled = (flags[part.core] & Flag.FILLED) != 0
                spread[_ADDITIVE] = np.hypot(
                    spread[_ADDITIVE], np.where(filled, off_in_dex(seen, noise), 0)
                )
                hidden = cube.mask[part.core] | ~np.isfinite(seen).any(axis=0)
                values[(slice(None), *part.core)] = np.where(hidden, np.nan, value)
                errors[(slice(None), *part.core)] = np.where(hidden, np.nan, spread)
                flags[part.core] |= np.where(hidden, 0, self._flags(seen, noise, used)).astype(
                    np.int16
                )
                odd = self._unlike(data, sigma, cube)[part.inner] & ~hidden
                flags[part.core] |= np.where(odd, Flag.OUT_OF_DISTRIBUTION, 0).astype(np.int16)
                release(values, errors)
                yield Progress("model", i + 1, len(parts), f"tile {i + 1} of {len(parts)} on {on}")
        finally:
            self.network.to("cpu")
            if on == "cuda":
                torch.cuda.empty_cache()
        about = self.card.provenance(self.weights_hash, used, on) | self.about()
        about |= about_size(size, factor)
        return self._maps(values, errors, flags, cube, len(used), about)

    def _predicted(
        self,
        network: UNet,
        data: np.ndarray,
        sigma: np.ndarray,
        cube: BandCube,
        factor: int,
        inner: tuple[slice, slice],
        device: str,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values and errors of a part of a window; densities, not their logarithms, are brought
        from the network's pixels to the image's.
        """
        import torch

        data, sigma = enlarged(data, sigma, factor)
        part = tuple(slice(factor * axis.start, factor * axis.stop) for axis in inner)
        with torch.inference_mode():
            inputs = self._inputs(data, sigma, cube, device)
            answers = (
                self._scaled(outputs[..., *part])
                for outputs in looks(network, inputs, self.members)
            )
            value, spread, apart = ensemble(answers)
        depth = depth_of(data[:, *part], sigma[:, *part])
        n_bands = len(self.check_bands(cube.bands))
        value, spread = self._read(value, spread, apart, depth, n_bands, sharpness_of(cube))
        if factor == 1:
            return value, spread
        # Ages are no logarithms any more.
        logs = np.array([not target.logarithm for target in TARGETS.values()])
        value[logs] = 10 ** value[logs]
        value, spread = (averaged(planes, factor) for planes in (value, spread))
        value[logs] = np.log10(value[logs])
        return value, spread

    def _maps(
        self,
        values: np.ndarray,
        errors: np.ndarray,
        flags: np.ndarray,
        cube: BandCube,
        n_bands: int,
        about: Mapping[str, Any],
    ) -> PropertyMaps:
        """Those that the model was taught."""
        taught = [
            (k, name) for k, name in enumerate(STELLAR_PROPERTIES) if name in self.card.properties
        ]
        maps, sigmas = ({name: planes[k] for k, name in taught} for planes in (values, errors))
        tails = self.calibration.tails(n_bands, sharpness_of(cube))
        tail_of = {name: float(tails[k]) for k, name in taught}
        if (verdict := self.verdict(cube)) is not None:
            about = {**about, "domain": str(verdict)}
        return PropertyMaps(maps, sigmas, cube.wcs, flags, about, tails=tail_of)

    def about(self) -> dict[str, str]:
        """What maps say of the members, and of the prior where there is a choice."""
        about = {"members": str(self.members)}
        if RELATIONS in self.card.features:
            about["prior"] = "relations" if self.relations else "wide"
        return about

    def without_relations(self) -> StellarUNet:
        """The same network, told to take anything for as likely."""
        return replace(self, relations=False)

    def with_members(self, members: int) -> StellarUNet:
        """The same network, which looks at a galaxy in so many orientations."""
        return replace(self, members=members)

    def remarks(self, cube: BandCube) -> list[str]:
        """What an unknown redshift costs, and a sentence on a galaxy that is unlike all that it was
        trained on.
        """
        verdict = self.verdict(cube)
        doubts = []
        if self.domain is not None and verdict is not None:
            doubts = self.domain.remarks(verdict, self.name)
        return [*unknown_redshift(self.card, cube), *doubts]

    def predict(
        self,
        cube: BandCube,
        device: str = "auto",
        progress: Callable[[Progress], None] | None = None,
    ) -> PropertyMaps:
        """`predict_steps` run to its end."""
        return run_to_end(self.predict_steps(cube, device), progress)

    def features(self, cube: BandCube) -> np.ndarray:
        """What the network sees in a galaxy: features of the bottleneck averaged with the light's
        weight, shape (n_channels,).

        Of images of more pixels along a side than the library's mocks have, blocks are averaged
        first: features of a part of a galaxy are not those of a galaxy.
        """
        _, features, data, _ = self._seen_whole(cube)
        return average_features(features, data)

    def _seen_whole(
        self, cube: BandCube
    ) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, float | None]:
        """Inputs by level and features of the bottleneck of a whole galaxy, its data, and the side
        of a pixel in pc.
        """
        import torch

        from .network import STRIDE

        self.check_bands(cube.bands)
        whole = int(self.library.sizes.max()) if len(self.library.sizes) else _WHOLE
        cube = binned(uncut(cube), -(-max(cube.shape) // whole))
        ny, nx = cube.shape
        window = (slice(0, -(-ny // STRIDE) * STRIDE), slice(0, -(-nx // STRIDE) * STRIDE))
        data, sigma = self._window(cube, window)
        inputs = self._inputs(data, sigma, cube, "cpu")
        with torch.inference_mode():
            _, features = self.network.encode(inputs)
        return [level[0].numpy() for level in inputs], features[0].numpy(), data, cube.pixel_pc

    def vectors(self, cube: BandCube) -> dict[str, np.ndarray]:
        """A galaxy by what `domain` judges it by (`vectors_of_whole`)."""
        from .domain import vectors_of_whole

        return vectors_of_whole(*self._seen_whole(cube), self.card.bands)

    def verdict(self, cube: BandCube) -> Verdict | None:
        """How far a galaxy is from all that it was trained on; None where there is no telling."""
        if self.domain is None:
            return None
        domain, bands, whole = self.domain, self.card.bands, cube.with_masked_light()
        return self._last.of(cube, lambda: domain.judge(self._seen_whole(whole), bands, cube.bands))

    def block_vectors(self, cube: BandCube) -> dict[str, np.ndarray]:
        """All blocks of an image by what `domain` judges them by (`vectors_of_blocks`)."""
        ny, nx = (-(-n // BLOCK) * BLOCK for n in cube.shape)
        return self._blocks(*self._window(uncut(cube), (slice(0, ny), slice(0, nx))), cube)

    def _blocks(self, data: np.ndarray, sigma: np.ndarray, cube: BandCube) -> dict[str, np.ndarray]:
        mean, error = (plane.numpy() for plane in block_means(data, sigma))
        coarse = self._inputs(mean, error, cube, "cpu")[0][0].numpy()
        rows, columns = (n // BLOCK for n in data.shape[1:])
        return vectors_of_blocks(coarse[:, :rows, :columns], self.card.bands)

    def flagged_ahead(self, cube: BandCube) -> float:
        """The share of a galaxy's pixels that would be flagged as unlike its training."""
        ny, nx = (-(-n // BLOCK) * BLOCK for n in cube.shape)
        data, sigma = self._window(uncut(cube), (slice(0, ny), slice(0, nx)))
        odd = self._unlike(data, sigma, cube) | self.cloud.unlike(data, sigma)
        return share_inside(odd, np.isfinite(data).any(axis=0), cube.mask)

    def _unlike(self, data: np.ndarray, sigma: np.ndarray, cube: BandCube) -> np.ndarray:
        """Pixels in blocks of a window that are unlike all that it was trained on, (ny, nx)."""
        ny, nx = data.shape[1:]
        if self.domain is None:
            return np.zeros((ny, nx), bool)
        seen = band_set(cube.bands, self.card.bands)
        odd = self.domain.unlike_blocks(self._blocks(data, sigma, cube), seen)
        odd = odd.reshape(ny // BLOCK, nx // BLOCK)
        return np.repeat(np.repeat(odd, BLOCK, axis=0), BLOCK, axis=1)

    def neighbours(self, cube: BandCube, count: int = 6) -> list[tuple[int, int, float]]:
        """The mock galaxies that look most like a galaxy to the network: (seed, image size,
        distance), the nearest first.
        """
        rows, away = self.library.nearest(self.features(cube), count)
        return [
            (int(self.library.seeds[row]), int(self.library.sizes[row]), float(d))
            for row, d in zip(rows, away, strict=True)
        ]

    def _window(self, cube: BandCube, window: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
        """ugriz and their errors in a window, NaN where masked or missing, shape (5, ny, nx)."""
        ny, nx = (part.stop - part.start for part in window)
        data = np.full((len(self.card.bands), ny, nx), np.nan, np.float32)
        sigma = data.copy()
        hidden = cut(cube.mask.astype(np.float32), window) != 0  # NaN beyond the image counts
        for k, band in enumerate(self.card.bands):
            if band in cube.bands:
                row = cube.bands.index(band)
                data[k], sigma[k] = (
                    np.where(hidden, np.nan, cut(p[row], window))
                    for p in (cube.data, cube.uncertainty)
                )
        return data, sigma

    def _inputs(
        self, data: np.ndarray, sigma: np.ndarray, cube: BandCube, device: str
    ) -> list[torch.Tensor]:
        import torch

        from .inputs import encode

        redshift = torch.tensor([redshift_of(cube)], dtype=torch.float32, device=device)
        seen, noise = (
            torch.from_numpy(np.ascontiguousarray(p))[None].to(device) for p in (data, sigma)
        )
        relations = torch.full_like(redshift, float(self.relations))
        return encode(seen, noise, redshift, relations)

    def _scaled(self, outputs: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Values and sigmas in scaled units, shape (7, ny, nx), as the network says them."""
        from .output_head import Head

        head = Head(kind=self.settings["head"], maps=len(STELLAR_PROPERTIES))
        value, sigma = (t[0].cpu().numpy() for t in head.read(outputs.float()))
        return value, sigma

    def _read(
        self,
        value: np.ndarray,
        spread: np.ndarray,
        apart: np.ndarray,
        depth: np.ndarray,
        n_bands: int,
        sharpness: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values and errors in the units of the maps, shape (7, ny, nx), of values, sigmas and how
        far members are apart in scaled ones.
        """
        for k, target in enumerate(TARGETS.values()):
            value[k], spread[k] = target.value(value[k]), spread[k] * target.unit
        value, spread = self.calibration.corrected(value, spread, depth, n_bands, sharpness)
        if self.members > 1:
            # What members differ by is seen, not told, and needs no correction.
            units = np.array([target.unit for target in TARGETS.values()], np.float32)
            spread = np.hypot(spread, units[:, None, None] * apart)
        for k, target in enumerate(TARGETS.values()):
            if target.logarithm:
                value[k] = 10 ** value[k]
                spread[k] *= LN10 * value[k]
        return value, spread

    def _flags(self, data: np.ndarray, sigma: np.ndarray, used: Sequence[str]) -> np.ndarray:
        there = [self.card.bands.index(band) for band in used]
        bits = np.where(~np.isfinite(data[there]).all(axis=0), Flag.BAND_MISSING, 0)
        deepest = there[len(there) // 2]
        with np.errstate(invalid="ignore"):
            # Nor 0 with an error of 0: an image without noise.
            bits |= np.where(~(data[deepest] > FAINT_SIGMA * sigma[deepest]), Flag.FAINT, 0)
        return bits | np.where(self.cloud.unlike(data, sigma), Flag.OUT_OF_DISTRIBUTION, 0)

    def to_bytes(self) -> bytes:
        """The weights as a safetensors file."""
        from safetensors.numpy import save

        arrays = {
            f"network.{key}": value.numpy() for key, value in self.network.state_dict().items()
        }
        arrays |= {**self.calibration.arrays("calibration."), **self.cloud.arrays("cloud.")}
        arrays |= {} if self.domain is None else self.domain.arrays("domain.")
        arrays |= {f"library.{key}": np.asarray(getattr(self.library, key)) for key in ARRAYS}
        metadata = {"settings": json.dumps(dict(self.settings))}
        return bytes(
            save({key: np.ascontiguousarray(array) for key, array in arrays.items()}, metadata)
        )

    @classmethod
    def from_bytes(cls, blob: bytes, card: ModelCard, weights_hash: str = "") -> StellarUNet:
        """The reverse of `to_bytes`; raises `ModelError` where the bytes are no such file."""
        import torch
        from safetensors import SafetensorError
        from safetensors.numpy import load

        from .network import UNet
        from .output_head import Head

        check_card(card)
        try:
            arrays = load(blob)
            length = int.from_bytes(blob[:8], "little")
            settings = json.loads(json.loads(blob[8 : 8 + length])["__metadata__"]["settings"])
            head = Head(kind=settings["head"], maps=len(STELLAR_PROPERTIES))
            if "pyramid" not in settings:
                raise ModelError(
                    f"{card.name} was trained by an earlier version, for other inputs; "
                    "train it anew."
                )
            shape = {key: settings[key] for key in ("widths", "hidden", "pyramid")}
            network = UNet(N_CHANNELS, head.outputs, normalised=False, **shape)
            network.load_state_dict(
                {k[8:]: torch.from_numpy(v) for k, v in arrays.items() if k.startswith("network.")}
            )
            library = Library(*(arrays[f"library.{key}"] for key in ARRAYS))
            cloud = ColourCloud.from_arrays(arrays, "cloud.")
            network = network.eval().to(memory_format=torch.channels_last)
            return cls(
                network,
                settings,
                Calibration.from_arrays(arrays, "calibration."),
                cloud,
                library,
                card,
                weights_hash,
                domain=Domain.from_arrays(arrays, "domain."),
            )
        except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"The weights of {card.name} are damaged ({error}); install the package again."
            ) from None
