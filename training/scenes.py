"""Parts on a table as a phone sees them, by code: what the mask and the projection learn photos by.

Another simulator than the bench's (`bench.photo_simulator`), so that the bench stays a check: our
own rasteriser, soft windows of light, shadows thrown by projecting the part on its table, grounds
of noise, veins, lines and planks, glossy parts that mirror the ground. 30 ms a scene.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from search.engine.render.pose import pose_render
from search.engine.render.surface import Surface, surface_make
from search.engine.render.types import Camera, Maps

Array = NDArray[np.floating]
Rng = np.random.Generator

LONG, SHORT = 320, 240  # pixels of a finished scene
OVERSAMPLING = 1.25
TILE = 512  # pixels of a ground's repeating texture
CREASE = 30.0  # degrees; edges sharper than this stay sharp


@dataclass(frozen=True)
class Scene:
    picture: NDArray[np.uint8]
    """(h, w, 3) sRGB"""
    mask: NDArray[np.uint8]
    """(h, w), how much of each pixel the part covers, 0..255"""
    viewpoint: Array
    """(3,) unit, from the part to the camera, in the part's own frame"""
    turn: float
    """radians by which the part's own z leans to the left in the picture"""


@dataclass(frozen=True)
class Window:
    """A disc of light in the sky: towards it, cosine of its half width, its radiance (3,)."""

    towards: Array
    cosine: float
    radiance: Array


@dataclass(frozen=True)
class Room:
    windows: Sequence[Window]
    sky: Array
    """(3,) radiance from above where no window is"""

    def mirrored(self, towards: Array, roughness: float) -> Array:
        """(n, 3) what a surface of this roughness (0..1) mirrors of the sky along (n, 3)."""
        light = self.sky * (0.6 + 0.4 * towards[:, 2:3])
        for window in self.windows:
            soft = 0.03 + 0.6 * roughness
            share = ((towards @ window.towards - window.cosine) / soft + 1).clip(0, 1)
            dimmed = (1 - window.cosine) / (1 - window.cosine + 0.5 * roughness**2)
            light = light + window.radiance * dimmed * (share**2)[:, None]
        return light


def scene_make(
    triangles: NDArray[np.float32],
    rng: Rng,
    *,
    upright: bool = True,
    size: tuple[int, int] = (LONG, SHORT),
) -> Scene:
    """(n, 3, 3) triangles in the unit sphere, photographed; `size`: the longer side and the other.

    Two in three stand as they are when `upright`, else lie on their widest side; the others lean
    any way.
    """
    turned = rotation_draw(rng, triangles, upright=upright)
    surface = surface_stood(triangles, turned)
    camera, back = camera_draw(surface, rng, size)
    maps = pose_render(surface, camera)
    room, floor = _room(rng), floor_draw(rng)
    picture = _ground(surface, camera, room, floor, rng)
    seen = maps.mask > 0
    picture[seen] = _part(maps, camera, room, floor, rng)
    pixels = (round(camera.width / OVERSAMPLING), round(camera.height / OVERSAMPLING))
    shrunk = cv2.resize(picture.astype(np.float32), pixels, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(maps.mask, pixels, interpolation=cv2.INTER_AREA)
    axis = camera.rotation @ turned[:, 2]
    return Scene(
        picture=developed(shrunk, rng),
        mask=cover,
        viewpoint=back @ turned,
        turn=float(np.arctan2(-axis[0], -axis[1])),
    )


# --- where things are ---------------------------------------------------------------------------


def rotation_draw(rng: Rng, triangles: Array, *, upright: bool) -> Array:
    """(3, 3) how the part lies, turned any way about the vertical."""
    if rng.random() < 1 / 3:
        turn, upper = np.linalg.qr(rng.normal(size=(3, 3)))
        turn = turn * np.sign(np.diag(upper))
        return turn * np.sign(np.linalg.det(turn))
    yaw = rng.uniform(0, 2 * np.pi)
    about = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1.0]])
    if upright:
        return about
    corners = triangles.reshape(-1, 3)
    flat = np.roll(np.eye(3), 2 - int(np.ptp(corners, axis=0).argmin()), axis=0)
    return about @ (flat if rng.random() < 0.5 else np.diag([1, -1, -1.0]) @ flat)


def surface_stood(triangles: Array, turn: Array) -> Surface:
    """Of (n, 3, 3) triangles turned by (3, 3), the lowest point on the table z = 0."""
    surface = surface_make((triangles @ turn.T).astype(np.float32), crease=CREASE)
    lifted = surface.vertices + (0, 0, 1e-3 - surface.vertices[:, 2].min())
    return _with_vertices(surface, lifted)


def _with_vertices(surface: Surface, vertices: Array) -> Surface:
    parts = {name: getattr(surface, name) for name in surface.__dataclass_fields__}
    return Surface(**{**parts, "vertices": np.ascontiguousarray(vertices, np.float32)})


def _thrown(surface: Surface, towards: Array, camera: Camera) -> Surface:
    """The surface flattened on z = 0 by light from `towards`: the shadow's shape."""
    flat = surface.vertices - surface.vertices[:, 2:3] * (towards / towards[2])
    near = flat @ camera.rotation[2] + camera.translation[2] < 0.1
    # Beside the lens a shadow would be projected to infinity: behind it, nothing is drawn of it.
    flat[near] = camera.rotation.T @ (np.array([0, 0, -1.0]) - camera.translation)
    return _with_vertices(surface, flat)


def camera_draw(
    surface: Surface,
    rng: Rng,
    size: tuple[int, int],
    *,
    fill: tuple[float, float] = (0.3, 0.9),
) -> tuple[Camera, Array]:
    """Any side, 15 to 88 degrees above the table; the camera and the direction to it. The part
    takes from `fill` of the shorter side."""
    width, height = size if rng.random() < 0.6 else size[::-1]
    width, height = round(width * OVERSAMPLING), round(height * OVERSAMPLING)
    azimuth = rng.uniform(0, 2 * np.pi)
    rise = np.arcsin(rng.uniform(np.sin(np.radians(15)), np.sin(np.radians(88))))
    back = np.array([np.cos(azimuth) * np.cos(rise), np.sin(azimuth) * np.cos(rise), np.sin(rise)])
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    roll = rng.normal(0, np.radians(6)) if rise < np.radians(65) else rng.uniform(0, 2 * np.pi)
    up = np.cross(back, right)
    right, up = np.cos(roll) * right + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * right
    rotation = np.stack([right, -up, -back])
    low, high = surface.vertices.min(0), surface.vertices.max(0)
    aside = (surface.vertices - (low + high) / 2) @ rotation.T
    reach = np.abs(aside[:, :2]).max()
    share = rng.uniform(*fill)
    focal = max(width, height) / (2 * np.tan(np.radians(rng.uniform(25, 62)) / 2))
    distance = focal * reach / (min(width, height) / 2 * share) + np.abs(aside[:, 2]).max() * 0.5
    shift = rng.uniform(-1, 1, 2) * (1 - share) * 0.35 * min(width, height)
    middle = (width / 2 + shift[0], height / 2 + shift[1])
    translation = np.array([0, 0, distance]) - rotation @ ((low + high) / 2)
    return Camera(rotation, translation, float(focal), middle, width, height), back


def _room(rng: Rng) -> Room:
    windows = []
    for number in range(rng.integers(1, 4)):
        azimuth, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.0)
        flat = np.sqrt(1 - rise**2)
        towards = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), rise])
        cosine = np.cos(np.radians(np.exp(rng.uniform(np.log(5), np.log(40)))))
        warmth = 1 + rng.uniform(-0.15, 0.15) * np.array([1, 0.1, -1])
        power = rng.uniform(0.5, 1) * 0.6**number  # irradiance on a facing surface
        windows.append(Window(towards, cosine, power * warmth / (np.pi * (1 - cosine**2))))
    return Room(windows, np.exp(rng.uniform(-3.9, -1.2)) * (1 + 0.08 * rng.normal(size=3)))


# --- the table ----------------------------------------------------------------------------------

Tile = NDArray[np.float32]


def _noise(rng: Rng, across: float, along: float | None = None) -> Array:
    """(TILE, TILE) repeating, mean 0, deviation 1; blobs of `across` x `along` pixels."""
    y, x = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None]
    keep = np.exp(-2 * np.pi**2 * ((x * across) ** 2 + (y * (along or across)) ** 2))
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(TILE, TILE))) * keep, (TILE, TILE))
    return noise / noise.std()


def colour_draw(rng: Rng) -> Array:
    """(3,) albedo: a grey, a muted or a strong colour, dark to white."""
    hue = np.cos(rng.uniform(0, 2 * np.pi) + np.array([0, 2.1, 4.2]))
    saturation = rng.choice([0, 0.1, 0.35, 0.8], p=[0.35, 0.25, 0.25, 0.15])
    return np.exp(rng.uniform(np.log(0.04), np.log(0.85))) * (1 + 0.8 * saturation * hue) / 1.2


def floor_draw(rng: Rng) -> Tile:
    """(TILE, TILE, 3) albedo: a base of grain and clouds, and often a pattern on it."""
    base = colour_draw(rng)
    grain = rng.choice([0.01, 0.05, 0.12]) * _noise(rng, rng.uniform(0.4, 2.5))
    clouds = rng.uniform(0, 0.15) * _noise(rng, rng.uniform(15, 60))
    value = grain + clouds
    kind = rng.choice(["plain", "streaks", "veins", "grains", "weave", "lines", "stripes"],
                      p=[0.28, 0.2, 0.12, 0.1, 0.12, 0.1, 0.08])  # fmt: skip
    y, x = np.mgrid[0:TILE, 0:TILE] * (2 * np.pi / TILE)
    share = np.zeros((TILE, TILE))  # of a second colour
    if kind == "streaks":
        value = value + rng.uniform(0.05, 0.3) * _noise(rng, rng.uniform(0.8, 3), 80)
        wave = rng.integers(3, 9) * x + rng.uniform(0.5, 3) * _noise(rng, 40, 200)
        value = value + rng.uniform(0, 0.2) * np.sin(wave)
        share = 0.7 * np.exp(-((np.sin(x * rng.integers(1, 3)) / 0.02) ** 2))
    elif kind == "veins":
        rough = _noise(rng, 60) + 0.5 * _noise(rng, 25) + 0.3 * _noise(rng, 8)
        share = np.exp(-np.abs(rough) / rng.uniform(0.03, 0.2)) * rng.uniform(0.3, 1)
    elif kind == "grains":
        share = (_noise(rng, rng.uniform(0.7, 3)) > rng.uniform(0.8, 2)) * rng.uniform(0.2, 1)
    elif kind == "weave":
        many = rng.integers(40, 120)
        weave = np.sin(x * many + 0.5 * _noise(rng, 6)) * np.sin(y * many + 0.5 * _noise(rng, 6))
        value = value + rng.uniform(0.05, 0.3) * weave
    elif kind == "lines":
        many, thick = rng.integers(4, 17), rng.uniform(0.02, 0.12)
        share = np.exp(-((np.sin(x * many / 2) / thick) ** 2))
        share = np.maximum(share, np.exp(-((np.sin(y * many / 2) / thick) ** 2)))
    elif kind == "stripes":
        share = (np.sin(x * rng.integers(3, 12)) > rng.uniform(-0.5, 0.5)) * 1.0
    other = colour_draw(rng) if rng.random() < 0.5 else base * rng.choice([0.4, 0.6, 1.5])
    mixed = base * (1 - share[..., None]) + np.clip(other, 0, 0.9) * share[..., None]
    return np.clip(mixed * np.exp(value)[..., None], 0.005, 0.95).astype(np.float32)


def _albedo_at(floor: Tile, spots: Array, *, span: float, turn: float) -> Array:
    """(n, 3) of the repeating ground at (n, 2) points of the table, `span` radii a tile."""
    cos, sin = np.cos(turn), np.sin(turn)
    texel = (spots @ np.array([[cos, sin], [-sin, cos]])) * (TILE / span) % TILE
    # OpenCV maps short rows only: the column of points becomes a block.
    block = np.resize(texel.astype(np.float32), (-(-len(texel) // 256), 256, 2))
    wrap = cv2.BORDER_WRAP
    found = cv2.remap(floor, block[..., 0], block[..., 1], cv2.INTER_LINEAR, borderMode=wrap)
    return np.asarray(found.reshape(-1, 3)[: len(texel)])


def _rays(camera: Camera) -> tuple[Array, Array]:
    """The eye (3,) and the directions through the pixels (h * w, 3), forward part 1."""
    x = (np.arange(camera.width) + 0.5 - camera.principal[0]) / camera.focal
    y = (np.arange(camera.height) + 0.5 - camera.principal[1]) / camera.focal
    rays = np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))], axis=-1)
    return -camera.rotation.T @ camera.translation, rays.reshape(-1, 3) @ camera.rotation


def _shadow(surface: Surface, camera: Camera, towards: Sequence[Array]) -> Array:
    """(h, w) 0..1 share of the lights which the part keeps from the table."""
    half = Camera(
        camera.rotation, camera.translation, camera.focal / 2,
        (camera.principal[0] / 2, camera.principal[1] / 2), camera.width // 2, camera.height // 2,
    )  # fmt: skip
    thrown = [pose_render(_thrown(surface, way, camera), half).mask for way in towards]
    mean = cv2.GaussianBlur(np.mean(thrown, axis=0).astype(np.float32), (0, 0), 1.2) / 255
    return cv2.resize(mean, (camera.width, camera.height), interpolation=cv2.INTER_LINEAR)


def _ground(surface: Surface, camera: Camera, room: Room, floor: Tile, rng: Rng) -> Array:
    """(h, w, 3) the table and the wall behind it, without the part but with its shadows."""
    eye, rays = _rays(camera)
    reach = np.where(rays[:, 2] < -1e-3, -eye[2] / np.minimum(rays[:, 2], -1e-3), 1e3)
    spots = eye[:2] + rays[:, :2] * np.minimum(reach, 1e3)[:, None]
    light = np.zeros((camera.height, camera.width, 3))
    for window in room.windows:
        spread = np.sqrt(1 - window.cosine**2) * 0.6
        ways = window.towards + spread * rng.normal(size=(4, 3))
        ways[:, 2] = np.maximum(ways[:, 2], 0.15)
        power = window.radiance * np.pi * (1 - window.cosine**2) * window.towards[2]
        light += power * (1 - _shadow(surface, camera, list(ways))[..., None])
    dome = rng.normal(size=(5, 3)) * (1, 1, 0.6) + (0, 0, 1.2)
    dome[:, 2] = np.maximum(np.abs(dome[:, 2]), 0.3)
    light += room.sky * np.pi * 0.8 * (1 - _shadow(surface, camera, list(dome))[..., None])
    albedo = _albedo_at(floor, spots, span=rng.uniform(3, 9), turn=rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.12:  # a sheet or the table's edge: two grounds in one picture
        way = rng.normal(size=2)
        beyond = spots @ (way / np.linalg.norm(way)) > rng.uniform(0.3, 2.5)
        albedo[beyond] = colour_draw(rng)
    table = albedo * light.reshape(-1, 3) / np.pi
    wall = room.sky * rng.uniform(0.3, 2.5)
    start = rng.uniform(8, 30)
    haze = np.clip((reach - start) / rng.uniform(0.5, 20), 0, 1)[:, None]
    return (table * (1 - haze) + wall * haze).reshape(camera.height, camera.width, 3)


# --- the part -----------------------------------------------------------------------------------


def _part(maps: Maps, camera: Camera, room: Room, floor: Tile, rng: Rng) -> Array:
    """(n, 3) light from the part's visible pixels."""
    seen = maps.mask > 0
    eye, rays = _rays(camera)
    rays = rays[seen.ravel()]
    points = eye + rays * maps.depth[seen][:, None]
    view = -rays / np.linalg.norm(rays, axis=1, keepdims=True)
    normals = maps.normals[seen] * (1, -1, -1) @ camera.rotation
    metal, base, rough, bump, grain = _material(rng)
    waves = np.sin(points @ (rng.normal(size=(3, 3)) * grain) + rng.uniform(0, 6, 3))
    normals = normals + bump * waves
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    facing = np.clip((normals * view).sum(1, keepdims=True), 0.02, 1)
    mirror = 2 * facing * normals - view
    down = sum(w.radiance * np.pi * (1 - w.cosine**2) * w.towards[2] for w in room.windows)
    around = (down + room.sky * np.pi * 0.7) / np.pi
    below = _mirrored_floor(floor, points, mirror, rough, rng) * around
    under = 1 / (1 + np.exp(np.clip(mirror[:, 2:3] * 12 / (0.3 + rough), -30, 30)))
    gloss = room.mirrored(mirror, rough) * (1 - under) + below * under
    light = room.sky * np.pi * (0.5 + 0.5 * normals[:, 2:3])
    for window in room.windows:
        power = window.radiance * np.pi * (1 - window.cosine**2)
        light = light + power * np.clip(normals @ window.towards, 0, 1)[:, None]
    bounce = around * floor.mean((0, 1)) * np.clip(0.5 - 0.5 * normals[:, 2:3], 0, 1) * np.pi
    light = light + bounce * (1 - 0.6 * np.exp(-3 * points[:, 2:3]))
    # No ray is traced between the part's own faces: soft blotches stand for what they shade.
    dim = np.sin(points @ (rng.normal(size=(3, 2)) * 2) + rng.uniform(0, 6, 2)).prod(1)[:, None]
    light = light * (1 - rng.uniform(0, 0.5) * np.clip(dim, 0, 1))
    albedo = base * np.exp(0.15 * waves[:, :1] * (grain < 20))
    fresnel = (base if metal else 0.04) + (1 - (base if metal else 0.04)) * (1 - facing) ** 5 * (
        1 - 0.7 * rough
    )
    matte = 0.0 if metal else albedo * light / np.pi
    return np.asarray(matte * (1 - fresnel) + fresnel * gloss)


METALS = (  # reflectance: steel, aluminium, gold, rose gold, silver, brass, black oxide, copper
    (0.56, 0.57, 0.58), (0.88, 0.88, 0.88), (1.0, 0.72, 0.3), (0.95, 0.6, 0.5),
    (0.95, 0.93, 0.9), (0.86, 0.7, 0.4), (0.1, 0.1, 0.11), (0.9, 0.55, 0.4),
)  # fmt: skip


def _material(rng: Rng) -> tuple[bool, Array, float, float, float]:
    """Whether metal; albedo or reflectance (3,); roughness; depth and fineness of its bumps."""
    if rng.random() < 0.5:
        base = np.array(METALS[rng.integers(len(METALS))]) * rng.uniform(0.8, 1)
        return True, base, rng.uniform(0.05, 0.65), rng.choice([0, 0.01, 0.04]), rng.uniform(20, 80)
    bump = rng.choice([0, 0.02, 0.06])
    return (
        False,
        np.clip(colour_draw(rng), 0.02, 0.9),
        rng.uniform(0.15, 0.7),
        bump,
        rng.uniform(3, 60),
    )


def _mirrored_floor(floor: Tile, points: Array, mirror: Array, rough: float, rng: Rng) -> Array:
    """(n, 3) albedo of the table as the part mirrors it, dark where the part stands on it."""
    reach = points[:, 2:3] / np.maximum(-mirror[:, 2:3], 0.05)
    blurred = cv2.GaussianBlur(floor, (0, 0), 1 + 40 * rough**2)
    spots = points[:, :2] + mirror[:, :2] * reach
    albedo = _albedo_at(blurred, spots, span=rng.uniform(3, 9), turn=rng.uniform(0, 2 * np.pi))
    return albedo * (1 - 0.75 * np.exp(-2.5 * reach))


# --- the camera's own doing ---------------------------------------------------------------------


def developed(picture: Array, rng: Rng) -> NDArray[np.uint8]:
    """(h, w, 3) linear light -> sRGB after lens, sensor, tone curve and JPEG."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    picture = picture * (1 - rng.uniform(0, 0.3) * (x * x + y * y) / 2)[..., None]
    picture = picture * (1 + 0.06 * rng.normal(size=3)) * 2 ** rng.normal(0, 0.4)
    picture = picture * (0.25 / (0.7 * picture.mean() + 0.3 * np.quantile(picture, 0.9) + 0.01))
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.2, 0.9))
    noise = rng.uniform(0.001, 0.02)
    picture = picture + rng.normal(size=picture.shape) * noise * np.sqrt(np.abs(picture) + 0.02)
    picture = np.clip(picture, 0, None)
    shoulder = picture * (1 + picture / 6) / (1 + rng.uniform(0.2, 0.6) * picture)
    toned = np.clip(shoulder, 0, 1) ** (1 / rng.uniform(1.9, 2.5))
    pixels = (toned * 255 + 0.5).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))]
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], quality)
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
