"""Draw the part: its views, its thumbnail, and the lighter mesh that the browser's viewer shows."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from PIL import Image

from catalog.files import bytes_keep
from catalog.models import View
from workers.work import Work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Raised when pictures of the same mesh come out different: every part is then drawn again.
STYLE = 1


def recipe() -> str:
    render = settings.SEARCH.render
    return f"views-{STYLE}-{render.viewpoints}x{render.size}-{render.thumbnail}"


def run(work: Work) -> None:
    from search.engine.mesh.preview import preview_build
    from search.engine.render.thumbnail import thumbnail_render

    pictures = work.views.at(settings.SEARCH.render.size)
    thumbnail = thumbnail_render(work.mesh.triangles_upright, size=settings.SEARCH.render.thumbnail)
    names = [
        _save(work, f"view-{viewpoint:02}.webp", webp(picture))
        for viewpoint, picture in enumerate(pictures)
    ]
    _views_write(work, names)
    work.save(
        thumbnail=_save(work, "thumbnail.webp", webp(thumbnail)),
        preview=_save(work, "preview.stl", preview_build(work.mesh)),
    )


def webp(picture: "NDArray[np.uint8]") -> bytes:
    """(h, w, 3 or 4) uint8 as WebP; the quality at which edge lines show no ringing."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=85, method=2)
    return file.getvalue()


def _save(work: Work, name: str, data: bytes) -> str:
    """Keep the bytes under a name that no other content of this part has ever had."""
    part = work.part
    path = f"parts/{part.uuid.hex[:2]}/{part.uuid.hex}/{recipe()}/{name}"
    # Drawn again from the same file by the same recipe: the same picture.
    return bytes_keep(path, data)


def _views_write(work: Work, names: Sequence[str]) -> None:
    rows: list[Any] = [
        View(part=work.part, viewpoint=viewpoint, image=name)
        for viewpoint, name in enumerate(names)
    ]
    View.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["part", "viewpoint"],
        update_fields=["image"],
    )
    View.objects.filter(part=work.part, viewpoint__gte=len(rows)).delete()
