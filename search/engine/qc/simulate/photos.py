"""Photos of a piece as an inspector might take them, for calibrating one part: quick, no extras.

Our own rasteriser and shadow maps, so the truth (mask, pose) is exact: any side, a phone's lens,
one soft lamp and a room, matte to metal, a plain or grainy ground the piece stands on and throws
its shadow on, then the camera's own doing: vignetting, blur, noise, tone, JPEG. Everything
follows from the generator of random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.qc.types import Pose
from search.engine.render.occlusion import Lights, light_share
from search.engine.render.pose import pose_render
from search.engine.render.surface import surface_make
from search.engine.render.types import Camera
from search.engine.render.viewpoints import viewpoints_fibonacci

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.render.surface import Surface
    from search.engine.render.types import Bytes, Doubles, Floats, Maps

    Rng = np.random.Generator

LONG, SHORT = 640, 480
OVERSAMPLING = 1.5
FIELD_OF_VIEW = (28.0, 58.0)  # degrees, of the long side
FILL = (0.62, 0.88)  # of the short side, by the part's diagonal
LEAN = 50.0  # degrees: the ground is seen from straight above to so much aslant
LAMP, LAMP_SPREAD, SKY = 9, 0.12, 14  # directions of the lamp, how far apart, and of the room
LEAST_CONTRAST = 0.22  # between part and ground, root mean square over the colours


@dataclass(frozen=True, eq=False)
class SimulatedPiece:
    """rgb (h, w, 3) uint8, mask (h, w) bool, and where the camera was."""

    rgb: Bytes
    mask: NDArray[np.bool_]
    pose: Pose


def photo_simulate(triangles: Floats, rng: Rng) -> SimulatedPiece:
    """Of (n, 3, 3) mm. Raises RenderError blank_picture where there is no surface."""
    surface = surface_make(triangles, crease=30.0)
    width, height = (LONG, SHORT) if rng.random() < 0.6 else (SHORT, LONG)
    camera = _camera_draw(surface, rng, width, height)
    fine = Camera(
        camera.rotation,
        camera.translation,
        camera.focal * OVERSAMPLING,
        (camera.principal[0] * OVERSAMPLING, camera.principal[1] * OVERSAMPLING),
        round(width * OVERSAMPLING),
        round(height * OVERSAMPLING),
    )
    maps = pose_render(surface, fine)
    on_piece = maps.mask > 0
    up = _up_draw(camera, rng)
    lamp, sky = _lights_draw(up, rng)
    albedo, ground = _colours_draw(rng)
    scene = _ground_shade(surface, fine, up, lamp, sky, ground, rng)
    scene[on_piece] = _piece_shade(surface, fine, maps, up, lamp, sky, albedo, ground, rng)
    picture = cv2.resize(scene, (width, height), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(on_piece.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    pose = Pose(camera.rotation, camera.translation, camera.focal)
    return SimulatedPiece(_developed(np.asarray(picture, np.float32), rng), cover > 0.5, pose)


def _camera_draw(surface: Surface, rng: Rng, width: int, height: int) -> Camera:
    """From any side, the part about in the middle."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    tangent = np.tan(np.radians(rng.uniform(*FIELD_OF_VIEW)) / 2)
    focal = max(width, height) / 2 / tangent
    distance = 2 * surface.radius * focal / (min(width, height) * rng.uniform(*FILL))
    distance = max(distance, 1.3 * surface.radius)
    aside = rng.uniform(-0.06, 0.06, 2) * distance * min(width, height) / focal
    at = np.array([*aside, distance]) - rotation @ surface.centre
    return Camera(rotation, at, float(focal), (width / 2, height / 2), width, height)


def _up_draw(camera: Camera, rng: Rng) -> Doubles:
    """The ground's upward direction in the part's frame: towards the camera, more or less."""
    lean, around = np.radians(rng.uniform(0, LEAN)), rng.uniform(0, 2 * np.pi)
    toward = np.array([np.sin(lean) * np.cos(around), np.sin(lean) * np.sin(around), -np.cos(lean)])
    return np.asarray(toward @ camera.rotation, np.float64)


def _lights_draw(up: Doubles, rng: Rng) -> tuple[Lights, Lights]:
    lamp: Doubles = rng.normal(size=3)
    lamp /= np.linalg.norm(lamp)
    lamp = lamp + (0.7 + max(0.0, -float(lamp @ up))) * up * 1.6
    lamp /= np.linalg.norm(lamp)
    near: Doubles = lamp + rng.normal(size=(LAMP, 3)) * LAMP_SPREAD * rng.uniform(0.3, 2.0)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    all_around = viewpoints_fibonacci(2 * SKY)
    above = all_around[all_around @ up > 0.05]
    strength = rng.uniform(0.5, 0.9)
    return (
        Lights(near, np.full(LAMP, strength / LAMP)),
        Lights(above, np.full(len(above), rng.uniform(0.35, 0.75) / len(above))),
    )


def _colours_draw(rng: Rng) -> tuple[Doubles, Doubles]:
    """Linear colours of piece and ground that can be told apart."""
    for _ in range(50):
        piece, ground = rng.uniform(0.08, 0.9, (2, 3))
        for colour in (piece, ground):
            # Most things are greyer than chance is.
            colour += (colour.mean() - colour) * rng.uniform(0.2, 1.0)
        if np.sqrt(((piece * 0.75 - ground) ** 2).mean()) > LEAST_CONTRAST:
            break
    return piece, ground


def _irradiance(surface: Surface, points: Floats, normals: Floats, *lights: Lights) -> Floats:
    total = np.zeros(len(points), np.float32)
    for kind in lights:
        cosines = np.clip(normals @ kind.directions.T.astype(np.float32), 0, None)
        open_sky = cosines @ kind.strengths.astype(np.float32)
        total += open_sky * light_share(surface, points, normals, kind)
    return total


def _ground_shade(
    surface: Surface,
    camera: Camera,
    up: Doubles,
    lamp: Lights,
    sky: Lights,
    colour: Doubles,
    rng: Rng,
) -> Floats:
    """(h, w, 3) linear: the ground under the part's lowest point, its shadow on it."""
    floor = float((surface.vertices @ up.astype(np.float32)).min()) - 0.002 * surface.radius
    eye = -camera.rotation.T @ camera.translation
    step = 2
    columns = (np.arange(0, camera.width, step) + 0.5 - camera.principal[0]) / camera.focal
    rows = (np.arange(0, camera.height, step) + 0.5 - camera.principal[1]) / camera.focal
    rays = np.dstack([*np.meshgrid(columns, rows), np.ones((len(rows), len(columns)))])
    rays = rays.reshape(-1, 3) @ camera.rotation
    reach = (floor - eye @ up) / np.minimum(rays @ up, -1e-3)
    points = (eye + rays * reach[:, None]).astype(np.float32)
    normals = np.broadcast_to(up.astype(np.float32), points.shape).copy()
    light = _irradiance(surface, points, normals, lamp, sky).reshape(len(rows), len(columns))
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), 1.5), np.float32)
    full = np.asarray(cv2.resize(light, (camera.width, camera.height)), np.float32)
    grain = rng.normal(size=(camera.height, camera.width)).astype(np.float32)
    texture = np.ones_like(grain)
    for sigma in (rng.uniform(0.8, 2), rng.uniform(3, 12)):
        along = sigma * rng.uniform(1, 6)
        soft = cv2.GaussianBlur(grain, (0, 0), sigma, sigmaY=along)
        texture += soft / (soft.std() + 1e-9) * rng.uniform(0.0, 0.09)
    shaded = (full * np.clip(texture, 0.3, 2))[..., None] * colour
    return np.asarray(shaded, np.float32)


def _piece_shade(
    surface: Surface,
    camera: Camera,
    maps: Maps,
    up: Doubles,
    lamp: Lights,
    sky: Lights,
    albedo: Doubles,
    ground: Doubles,
    rng: Rng,
) -> Floats:
    """(k, 3) linear light from the piece's pixels: matte, glossy or metal."""
    rows, columns = np.nonzero(maps.mask)
    depth = maps.depth[rows, columns]
    seen = np.column_stack(
        [
            (columns + 0.5 - camera.principal[0]) / camera.focal * depth,
            (rows + 0.5 - camera.principal[1]) / camera.focal * depth,
            depth,
        ]
    )
    points = ((seen - camera.translation) @ camera.rotation).astype(np.float32)
    normals = maps.normals[rows, columns] * np.array([1, -1, -1], np.float32)
    normals = np.ascontiguousarray(normals @ camera.rotation.astype(np.float32))
    light = _irradiance(surface, points, normals, lamp, sky)
    view = -seen / np.linalg.norm(seen, axis=1, keepdims=True) @ camera.rotation
    mirror = 2 * (normals * view).sum(1, keepdims=True) * normals - view
    middle = lamp.directions.mean(0)
    middle /= np.linalg.norm(middle)
    sharp = rng.uniform(8, 70)
    glint = np.clip(mirror @ middle, 0, None) ** sharp * rng.uniform(0.0, 0.6)
    facing = np.clip((normals * view).sum(1, keepdims=True), 0, 1)
    if rng.random() < 0.4:  # metal: mirrors lamp, sky and ground, tinted
        above = 0.5 + 0.5 * np.tanh(rng.uniform(1.5, 9) * (mirror @ up))[:, None]
        below = ground * rng.uniform(0.6, 1.1) * _ground_lit(surface, points, mirror, up)
        around = above * rng.uniform(0.4, 1.0) + (1 - above) * below
        tint = albedo + (1 - albedo) * (1 - facing) ** 5
        matte = rng.uniform(0.05, 0.35)
        shade = (matte * light)[:, None] + (1 - matte) * around + 1.5 * glint[:, None]
        return np.asarray(shade * tint, np.float32)
    fresnel = 0.04 + 0.4 * (1 - facing[:, 0]) ** 5
    return np.asarray(light[:, None] * albedo + (glint + fresnel * 0.3)[:, None], np.float32)


def _ground_lit(surface: Surface, points: Floats, mirror: Floats, up: Doubles) -> Floats:
    """(k, 1) how much light lies on the ground that each point mirrors: less where it stands."""
    floor = float((surface.vertices @ up.astype(np.float32)).min())
    reach = (points @ up - floor) / np.maximum(-(mirror @ up), 0.05)
    return np.asarray(1 - 0.75 * np.exp(-2.5 * reach / surface.radius), np.float32)[:, None]


def _developed(scene: Floats, rng: Rng) -> Bytes:
    """(h, w, 3) linear light -> what a camera makes of it, through a JPEG."""
    height, width = scene.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    picture = scene * (1 - rng.uniform(0, 0.2) * (x * x + y * y) / 2)[..., None]
    picture = picture * (1 + 0.04 * rng.normal(size=3))
    picture = picture * (rng.uniform(0.35, 0.5) / (picture.mean() + 0.02))
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.1)))
    picture = picture + rng.normal(size=picture.shape) * rng.uniform(0.003, 0.015)
    toned = np.clip(picture, 0, 1.2) / (1 + 0.2 * np.clip(picture, 0, 1.2))
    encoded = (np.clip(toned, 0, 1) ** (1 / rng.uniform(1.9, 2.4)) * 255).astype(np.uint8)
    quality = int(rng.integers(70, 96))
    _, packed = cv2.imencode(".jpg", encoded[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    unpacked = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(unpacked[..., ::-1])
