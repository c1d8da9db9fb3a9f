"""Pictures that look like phone photos of a part, made by another renderer than ours.

Rays by Embree (`embreex`, of the extra `bench`), shading in NumPy: GGX-like metal, plastic,
resin and wood; light from a procedural room (soft boxes and windows over a dim surround); a
textured ground with soft shadows, mirrored by what is glossy; perspective of 28 to 58 degrees;
lens blur, vignetting, sensor noise, white balance, tone curve, JPEG. Everything follows from
(triangles, seed). The true mask comes with it.
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from embreex import rtcore
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import ConvexHull

from bench.photo_grounds import DESKS, GROUND_SHARES, GROUNDS, TILE, vivid

Array = NDArray[np.float32]
Rng = np.random.Generator

LONG, SHORT = 640, 480  # pixels of the finished photo
OVERSAMPLING = 1.25
TILE_SPAN = 7.0  # part radii, the width of a ground's repeating texture
_DEVICE = rtcore.EmbreeDevice()


@dataclass(frozen=True)
class SimulatedPhoto:
    jpeg: bytes
    mask: NDArray[np.bool_]
    """(h, w), the part's true pixels"""
    material: str
    ground: str
    pose: str
    camera: "TrueCamera"


@dataclass(frozen=True)
class TrueCamera:
    """Where the photo was taken from, in the frame and unit of the triangles given: a point p is
    at `rotation @ p + translation`, x right, y down, z forward; `focal` in the photo's pixels,
    the principal point in its middle."""

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    focal: float


@dataclass(frozen=True)
class Setting:
    """What may be chosen of a scene; the rest is chance. `grounds` are shares by name,
    `elevations` in degrees above the ground, `fill` the part's share of the shorter side; `sides`
    in pixels, `rays` light samples a point; `coarse` blurs grounds at a quarter of their size,
    four times as fast and hardly to be told apart."""

    grounds: tuple[tuple[str, float], ...] = tuple(zip(DESKS, GROUND_SHARES, strict=True))
    elevations: tuple[float, float] = (18.0, 88.0)
    fill: tuple[float, float] = (0.4, 0.85)
    sides: tuple[int, int] = (LONG, SHORT)
    rays: int = 18
    coarse: bool = False


ANYWHERE = Setting()


@dataclass(frozen=True)
class Material:
    kind: str
    albedo: Array
    """(3,) linear; a metal's reflectance at normal incidence"""
    metal: bool
    roughness: float
    bump: float
    grain: float


@dataclass(frozen=True)
class Room:
    """Light as von Mises-Fisher lobes over a dim gradient; `ground` is what comes from below."""

    directions: Array
    sharpness: Array
    powers: Array
    """(l, 3) irradiance each lobe gives a surface facing it"""
    surround: Array
    ground: Array

    def radiance(self, towards: Array, roughness: float, below: Array) -> Array:
        """(n, 3) light arriving from `towards` (n, 3) as a surface of this roughness mirrors it;
        `below` (n, 3) is what it sees of the ground."""
        blunt = 2.0 / max(roughness**4, 1e-4)  # GGX's lobe as a von Mises-Fisher one
        up = towards[:, 2:3]
        light = self.surround * (0.55 + 0.45 * up)
        for direction, sharp, power in zip(
            self.directions, self.sharpness, self.powers, strict=True
        ):
            k = sharp * blunt / (sharp + blunt)
            light = light + power * (k / (2 * np.pi)) * np.exp(
                k * (towards @ direction[:, None] - 1)
            )
        down = 1 / (1 + np.exp(np.clip(up * 12 / (0.3 + roughness), -30, 30)))
        return (light * (1 - down) + below * down).astype(np.float32)


@dataclass(frozen=True)
class Floor:
    """A repeating texture laid on z = 0, turned and shifted."""

    tile: Array
    turn: float
    offset: NDArray[np.float64]
    coarse: bool = False

    def albedo(self, spots: Array) -> Array:
        """(n, 3) at (n, 2) points of the plane."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        texel = spots @ _f32(np.array([[cos, sin], [-sin, cos]])) * (TILE / TILE_SPAN)
        texel = ((texel + self.offset) % TILE).astype(np.float32)
        wrapped = cv2.copyMakeBorder(self.tile, 0, 1, 0, 1, cv2.BORDER_WRAP)
        # OpenCV maps at most 32767 rows: a square of points instead of a column.
        side = int(np.ceil(np.sqrt(len(texel))))
        square = np.zeros((side * side, 2), np.float32)
        square[: len(texel)] = texel
        square = square.reshape(side, side, 2)
        found = cv2.remap(wrapped, square[..., 0], square[..., 1], cv2.INTER_LINEAR)
        return found.reshape(-1, 3)[: len(texel)]

    def blurred(self, pixels: float) -> "Floor":
        if self.coarse and pixels > 6:
            side = TILE // 4
            small = cv2.resize(self.tile, (side, side), interpolation=cv2.INTER_AREA)
            small = cv2.GaussianBlur(small, (0, 0), pixels / 4)
            tile = cv2.resize(small, (TILE, TILE), interpolation=cv2.INTER_LINEAR)
        else:
            tile = cv2.GaussianBlur(self.tile, (0, 0), pixels)
        return Floor(tile, self.turn, self.offset, self.coarse)


def photo_simulate(
    triangles: NDArray[np.floating],
    *,
    seed: int,
    upright: bool = False,
    setting: Setting = ANYWHERE,
) -> SimulatedPhoto:
    """A photo of (n, 3, 3) triangles.

    One in three leans at any angle. The others stand on the xy plane when `upright`, as furniture
    does, else rest on a face of their hull.
    """
    rng = np.random.default_rng(seed)
    part, placed, pose = _part_posed(np.asarray(triangles, np.float64), rng, upright=upright)
    names, shares = zip(*setting.grounds, strict=True)
    material, kind = _material_make(rng), str(rng.choice(names, p=shares))
    tile = GROUNDS[kind](rng).astype(np.float32)
    floor = Floor(tile, rng.uniform(0, 2 * np.pi), rng.uniform(0, TILE, 2), setting.coarse)
    room = _room_make(rng, tile.mean((0, 1)))
    width, height = setting.sides if rng.random() < 0.6 else setting.sides[::-1]
    size = int(width * OVERSAMPLING), int(height * OVERSAMPLING)
    eye, axes, pixel, rays = _camera_make(part, rng, *size, setting)
    scene = EmbreeScene(_DEVICE)
    TriangleMesh(scene, part)
    hits = scene.run(np.broadcast_to(eye, rays.shape).copy(), rays, output=True)
    on_part = hits["primID"] >= 0
    shape = (int(height * OVERSAMPLING), int(width * OVERSAMPLING))
    image = _ground_shade(scene, room, floor, eye, rays, shape, rng, setting.rays)
    image[on_part] = _part_shade(
        scene, room, floor, material, part, hits, on_part, eye, rays, rng, setting.rays
    )
    picture = cv2.resize(image.reshape(*shape, 3), (width, height), interpolation=cv2.INTER_AREA)
    cover = on_part.reshape(shape).astype(np.float32)
    mask = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA) > 0.5
    camera = _camera_in_file(placed, eye, axes, 1 / (pixel * OVERSAMPLING))
    return SimulatedPhoto(_developed(picture, rng), mask, material.kind, kind, pose, camera)


# --- the scene ----------------------------------------------------------------------------------


Placed = tuple[NDArray[np.float64], NDArray[np.float64], float]


def _part_posed(
    triangles: NDArray[np.float64], rng: Rng, *, upright: bool
) -> tuple[Array, Placed, str]:
    """(n, 3, 3) float32 in the unit sphere's size, its lowest point on z = 0; how it was put
    there, `turn @ p / unit + shift`; and how it lies."""
    low, high = triangles.min((0, 1)), triangles.max((0, 1))
    middle = (low + high) / 2
    part = triangles - middle
    unit = float(np.linalg.norm(part, axis=2).max())
    part /= unit
    chance = rng.random()
    if chance < 0.35:
        turn, pose = _rotation_random(rng), "any"
    elif upright:
        turn, pose = np.eye(3), "upright"
    else:
        turn, pose = _resting_rotation(part.reshape(-1, 3), rng), "resting"
    yaw = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ turn
    part = part @ turn.T
    lowest = part[..., 2].min() - 1e-3
    part[..., 2] -= lowest
    shift = -(turn @ middle) / unit - np.array([0, 0, lowest])
    return np.ascontiguousarray(part, np.float32), (turn, shift, unit), pose


def _camera_in_file(
    placed: Placed, eye: Array, axes: NDArray[np.float64], focal: float
) -> TrueCamera:
    turn, shift, unit = placed
    return TrueCamera(axes @ turn, axes @ (shift - eye) * unit, focal)


def _rotation_random(rng: Rng) -> NDArray[np.float64]:
    turn, triangle = np.linalg.qr(rng.normal(size=(3, 3)))
    turn = turn * np.sign(np.diag(triangle))
    return turn * np.sign(np.linalg.det(turn))


def _resting_rotation(points: NDArray[np.float64], rng: Rng) -> NDArray[np.float64]:
    """Down onto a face of the convex hull, the larger the likelier (its centre is near enough to
    the centre of mass that large faces are the stable ones)."""
    hull = ConvexHull(points, qhull_options="QJ")
    corners = points[hull.simplices]
    areas = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    normals = np.round(hull.equations[:, :3], 2)
    _, group = np.unique(normals, axis=0, return_inverse=True)
    whole = np.bincount(group.ravel(), areas)[group.ravel()]
    chances = areas * whole**1.5
    down = hull.equations[rng.choice(len(areas), p=chances / chances.sum()), :3]
    side = np.cross(down, [1, 0, 0] if abs(down[0]) < 0.7 else [0, 1, 0])
    side /= np.linalg.norm(side)
    return np.stack([side, np.cross(side, down), -down])


def _camera_make(
    part: Array, rng: Rng, width: int, height: int, setting: Setting
) -> tuple[Array, NDArray[np.float64], float, Array]:
    """The eye (3,), its axes (3, 3) right, down, forward, a pixel's size at distance 1, and one
    ray a pixel (h * w, 3): from any side."""
    middle = (part.min((0, 1)) + part.max((0, 1))) / 2
    tangent = np.tan(np.radians(rng.uniform(28, 58)) / 2)  # of half the long side
    sine = rng.uniform(*np.sin(np.radians(setting.elevations)))
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.arcsin(sine)
    back = np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), sine]
    )
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    roll = np.radians(rng.normal(0, 6)) if sine < 0.9 else rng.uniform(0, 2 * np.pi)
    right, up = (
        np.cos(roll) * right + np.sin(roll) * np.cross(back, right),
        np.cos(roll) * np.cross(back, right) - np.sin(roll) * right,
    )
    corners = part.reshape(-1, 3) - middle
    reach = max(np.abs(corners @ right).max(), np.abs(corners @ up).max())
    half = tangent * min(width, height) / max(width, height)
    fill = rng.uniform(*setting.fill)
    distance = reach / (half * fill) + np.abs(corners @ back).max() * 0.5
    shift = rng.uniform(-1, 1, 2) * (1 - fill) * 0.6 * half * distance
    eye = middle + back * distance + right * shift[0] + up * shift[1]
    eye[2] = max(eye[2], 0.15)
    pixel = 2 * tangent / max(width, height)
    x = (np.arange(width) + 0.5 - width / 2) * pixel
    y = (height / 2 - np.arange(height) - 0.5) * pixel
    rays = x[None, :, None] * right + y[:, None, None] * up - back
    rays /= np.linalg.norm(rays, axis=2, keepdims=True)
    axes = np.stack([right, -up, -back])
    return (
        eye.astype(np.float32),
        axes,
        float(pixel),
        np.ascontiguousarray(rays.reshape(-1, 3), np.float32),
    )


def _room_make(rng: Rng, ground: Array) -> Room:
    count = int(rng.integers(1, 4))
    azimuth, sine = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.45, 1.0, count)
    flat = np.sqrt(1 - sine**2)
    directions = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), sine], axis=1)
    warmth = rng.uniform(-0.12, 0.12, (count, 1)) * np.array([1.0, 0.1, -1.0]) + 1
    powers = rng.uniform(0.5, 1.0, (count, 1)) * 0.5 ** np.arange(count)[:, None] * warmth
    surround = rng.uniform(0.05, 0.25) * (1 + 0.06 * rng.normal(size=3))
    down = (powers * sine[:, None]).sum(0) + np.pi * 0.5 * surround
    sharpness = np.exp(rng.uniform(np.log(5), np.log(150), count))
    return Room(
        directions.astype(np.float32),
        sharpness.astype(np.float32),
        powers.astype(np.float32),
        surround.astype(np.float32),
        (ground * down / np.pi).astype(np.float32),
    )


METALS = {
    "steel": (0.56, 0.57, 0.58),
    "aluminium": (0.86, 0.87, 0.88),
    "gold": (1.0, 0.71, 0.29),
    "rose gold": (0.95, 0.60, 0.48),
    "silver": (0.95, 0.93, 0.88),
    "brass": (0.86, 0.70, 0.38),
    "black oxide": (0.09, 0.09, 0.10),
}


def _material_make(rng: Rng) -> Material:
    kind = str(rng.choice([*METALS, "plastic", "plastic", "plastic", "resin", "resin", "wood"]))
    if kind in METALS:
        albedo = np.array(METALS[kind]) * rng.uniform(0.85, 1.0)
        finish = rng.choice(["polished", "brushed", "cast"])
        rough = {"polished": (0.16, 0.3), "brushed": (0.25, 0.45), "cast": (0.4, 0.65)}[finish]
        bump = {"polished": 0.0, "brushed": 0.01, "cast": 0.025}[finish]
        return Material(kind, _f32(albedo), True, rng.uniform(*rough), bump, rng.uniform(20, 60))
    if kind == "wood":
        albedo = np.array([0.45, 0.27, 0.13]) * rng.uniform(0.4, 1.3)
        return Material(kind, _f32(albedo), False, rng.uniform(0.4, 0.7), 0.02, rng.uniform(4, 12))
    if kind == "resin":  # printed: grey, bone or wax colours, fine layers
        tints = [(0.4, 0.41, 0.42), (0.7, 0.66, 0.58), (0.1, 0.35, 0.2), (0.15, 0.2, 0.5)]
        albedo = np.array(tints[rng.integers(len(tints))]) * rng.uniform(0.7, 1.1)
        return Material(kind, _f32(albedo), False, rng.uniform(0.4, 0.7), 0.05, rng.uniform(20, 60))
    grey = rng.random() < 0.5
    albedo = np.full(3, rng.choice([0.03, 0.2, 0.45, 0.8])) if grey else vivid(rng)
    return Material("plastic", _f32(albedo), False, rng.uniform(0.2, 0.55), 0.0, 1.0)


def _f32(values: NDArray[np.floating]) -> Array:
    return np.asarray(values, np.float32)


# --- light --------------------------------------------------------------------------------------


def _irradiance(
    scene: EmbreeScene, room: Room, points: Array, normals: Array, rays: int, rng: Rng
) -> Array:
    """(n, 3) light on each point: soft boxes and surround sampled in turn, shadowed by the part."""
    total = np.zeros_like(points)
    lights = len(room.directions)
    for ray in range(rays):
        spread = rng.normal(size=points.shape).astype(np.float32)
        if ray % 3 < 2:  # two of three samples go to the soft boxes
            light = (ray - ray // 3) % lights
            towards = room.directions[light] + spread / np.sqrt(room.sharpness[light])
            towards /= np.linalg.norm(towards, axis=1, keepdims=True)
            cosine = np.clip((normals * towards).sum(1, keepdims=True), 0, None)
            arriving = room.powers[light] * cosine * (1.5 * lights / rays)
        else:  # by the cosine: a point of the unit sphere about the normal's tip (Lambert)
            towards = normals + spread / np.linalg.norm(spread, axis=1, keepdims=True)
            towards /= np.linalg.norm(towards, axis=1, keepdims=True) + 1e-9
            near = 1 - np.exp(-3 * points[:, 2:3])  # the ground close to a part lies in its shadow
            up = towards[:, 2:3]
            sky = np.where(up > 0, room.surround * (0.55 + 0.45 * up), room.ground * near)
            arriving = sky * (3 * np.pi / rays)
        free = np.asarray(scene.run(points, np.ascontiguousarray(towards), query="OCCLUDED")) < 0
        total += arriving * free[:, None]
    return total


def _ground_shade(
    scene: EmbreeScene,
    room: Room,
    floor: Floor,
    eye: Array,
    rays: Array,
    shape: tuple[int, int],
    rng: Rng,
    samples: int,
) -> Array:
    """(h * w, 3) the ground as if the part were glass but still threw its shadow."""
    reach = -eye[2] / np.minimum(rays[:, 2], -1e-4)
    seen = (rays[:, 2] < -1e-3) & (reach < 60)
    spot = eye[:2] + rays[:, :2] * np.where(seen, reach, 0)[:, None]
    coarse = np.zeros(shape, bool)
    coarse[::2, ::2] = True
    pick = coarse.ravel()
    points = np.column_stack([spot[pick], np.full(pick.sum(), 1e-4)]).astype(np.float32)
    normals = np.broadcast_to(_f32(np.array([0.0, 0, 1])), points.shape)
    light = _irradiance(scene, room, points, normals, samples, rng)
    half = (-(-shape[0] // 2), -(-shape[1] // 2))
    light = cv2.GaussianBlur(light.reshape(*half, 3), (0, 0), 1.2)
    light = cv2.resize(light, shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(-1, 3)
    wall = room.surround * 1.5
    haze = np.clip((reach - 25) / 35, 0, 1)[:, None]
    table = floor.albedo(spot) * light / np.pi
    return np.where(seen[:, None], table * (1 - haze) + wall * haze, wall).astype(np.float32)


def _part_shade(
    scene: EmbreeScene,
    room: Room,
    floor: Floor,
    material: Material,
    part: Array,
    hits: dict[str, NDArray[np.generic]],
    on_part: NDArray[np.bool_],
    eye: Array,
    rays: Array,
    rng: Rng,
    samples: int,
) -> Array:
    """(hits, 3) linear light from the part's visible points."""
    face, u, v = (hits[key][on_part] for key in ("primID", "u", "v"))
    view = -rays[on_part]
    points = eye - view * hits["tfar"][on_part][:, None]
    weights = np.stack([1 - u - v, u, v], axis=1)
    smooth = np.einsum("nk,nkd->nd", weights, _smooth_normals(part)[face])
    flat = np.cross(part[face, 1] - part[face, 0], part[face, 2] - part[face, 0])
    facing = np.sign((flat * view).sum(1, keepdims=True))
    flat = flat * facing / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-20)
    normals = smooth * facing + material.bump * _bumps(points, material, rng)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    outside = np.ascontiguousarray(points + flat * 2e-3, np.float32)
    outside[:, 2] = np.maximum(outside[:, 2], 1e-4)
    light = _irradiance(scene, room, outside, _f32(normals), samples, rng)
    cosine = np.clip((normals * view).sum(1, keepdims=True), 0.02, 1)
    mirror = _f32(2 * cosine * normals - view)
    below = _floor_mirrored(floor, room, outside, mirror, material.roughness)
    gloss = room.radiance(mirror, material.roughness, below)
    blocked = np.asarray(scene.run(outside, np.ascontiguousarray(mirror), query="OCCLUDED")) >= 0
    albedo = _albedo(points, material, rng)
    around = (light / np.pi) * (albedo if material.metal else 0.5)
    gloss = np.where(blocked[:, None], 0.5 * around + 0.2 * gloss, gloss)
    base = albedo if material.metal else _f32(np.full(3, 0.04))
    edge = (1 - cosine) ** 5 * (1 - 0.7 * material.roughness)
    fresnel = base + (1 - base) * edge
    matte = 0.0 if material.metal else albedo * light / np.pi
    return _f32(matte * (1 - fresnel) + fresnel * gloss)


def _floor_mirrored(
    floor: Floor, room: Room, points: Array, mirror: Array, roughness: float
) -> Array:
    """(n, 3) the ground as a glossy part mirrors it: textured, dark where the part shades it."""
    reach = points[:, 2:3] / np.maximum(-mirror[:, 2:3], 0.05)
    spots = points[:, :2] + mirror[:, :2] * reach
    texture = floor.blurred(2 + 60 * roughness**2).albedo(_f32(spots)) / floor.tile.mean((0, 1))
    return _f32(room.ground * texture * (1 - 0.75 * np.exp(-2.5 * reach)))


def _bumps(points: Array, material: Material, rng: Rng) -> NDArray[np.floating]:
    """(n, 3) mean 0: layers for resin and wood, scratches or grain for metals."""
    if material.kind in {"resin", "wood"}:
        layer = np.sin(points[:, 2:3] * material.grain * 2 * np.pi)
        return layer * np.array([0.0, 0.0, 1.0])
    waves = rng.normal(size=(3, 9)) * material.grain * 2
    phases = rng.uniform(0, 2 * np.pi, 9)
    return np.sin(points @ waves + phases).reshape(-1, 3, 3).sum(2)


def _albedo(points: Array, material: Material, rng: Rng) -> NDArray[np.floating]:
    if material.kind != "wood":
        return np.broadcast_to(material.albedo, points.shape)
    centre = rng.normal(size=3) * 0.7
    bent = points + 0.05 * np.sin(points[:, [1, 2, 0]] * 5 + rng.uniform(0, 6, 3))
    radius = np.linalg.norm((bent - centre)[:, :2], axis=1)
    rings = np.sin(radius * material.grain * 2 * np.pi)[:, None]
    return material.albedo * np.exp(0.25 * rings)


def _smooth_normals(part: Array, *, crease: float = 35.0) -> Array:
    """(n, 3, 3) a normal a corner, averaged over neighbours bent less than `crease` degrees."""
    flat = np.cross(part[:, 1] - part[:, 0], part[:, 2] - part[:, 0]).astype(np.float64)
    unit = flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-20)
    keys = np.round(part.reshape(-1, 3) * 2e4).astype(np.int64)
    _, vertex = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(vertex.ravel(), kind="stable")
    sorted_vertex, face = vertex.ravel()[order], order // 3
    total = flat[face].copy()
    limit = np.cos(np.radians(crease))
    for step in range(1, 24):  # corners of one vertex lie next to each other after sorting
        same = sorted_vertex[step:] == sorted_vertex[:-step]
        if not same.any():
            break
        near = same & ((unit[face[step:]] * unit[face[:-step]]).sum(1) > limit)
        total[:-step][near] += flat[face[step:]][near]
        total[step:][near] += flat[face[:-step]][near]
    normals = np.empty_like(total)
    normals[order] = total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-20)
    return normals.reshape(-1, 3, 3).astype(np.float32)


# --- the camera's own doing ---------------------------------------------------------------------


def _developed(picture: Array, rng: Rng) -> bytes:
    """(h, w, 3) linear light -> a JPEG file."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    picture = picture * (1 - rng.uniform(0, 0.22) * (x * x + y * y) / 2)[..., None]
    picture = picture * (1 + 0.05 * rng.normal(size=3))  # white balance
    exposure = 0.36 * 2 ** rng.normal(0, 0.3) / (picture.mean() ** 0.75 * 0.6 + 0.02)
    picture = cv2.GaussianBlur(picture * min(exposure, 6.0), (0, 0), rng.uniform(0.4, 1.1))
    noise = rng.uniform(0.003, 0.02)
    picture = picture + rng.normal(size=picture.shape) * noise * np.sqrt(np.abs(picture) + 0.02)
    picture = np.clip(picture, 0, None)
    toned = picture * (1 + picture / 6) / (1 + 0.45 * picture)  # a soft shoulder
    encoded = np.clip(toned, 0, 1) ** (1 / rng.uniform(2.0, 2.4))
    encoded = encoded + rng.uniform(0, 0.35) * encoded * (1 - encoded) * (2 * encoded - 1)
    pixels = (encoded * 255 + 0.5).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=int(rng.integers(60, 95)))
    return out.getvalue()
