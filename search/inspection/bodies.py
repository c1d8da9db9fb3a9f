"""Inspections as JSON: what the API answers, and what webhooks are told."""

from typing import Any

from django.core.files.storage import default_storage
from django.urls import reverse

from search.inspection.selectors import others_of
from search.inspection.wording import Others, reasons_told, rivals_told, verdict_sentence
from search.models import Inspection, InspectionPhoto


def media_url(name: str) -> str | None:
    return default_storage.url(name) if name else None


def photo_body(photo: InspectionPhoto, others: Others) -> dict[str, Any]:
    return {
        "place": photo.place,
        "file_name": photo.file_name,
        "width": photo.width,
        "height": photo.height,
        "verdict": photo.verdict or None,
        "similarity": photo.similarity,
        "p_good": photo.p_good,
        "reasons": reasons_told(photo.reasons, others),
        "pose": photo.pose and {**photo.pose, "ambiguous": photo.ambiguous},
        "measures": photo.measures or None,
        "max_dev_mm": photo.max_dev_mm,
        "blobs": photo.blobs,
        "worst_point": photo.blobs[0]["place"] if photo.blobs else None,
        "coverage": photo.coverage,
        "size_factor": photo.size_factor,
        "mask_corrected": bool(photo.mask_given),
        "rectangle": photo.box_given,
        "pose_corrected": photo.pose_given is not None,
        "corrected_by": str(photo.corrected_by) if photo.corrected_by else None,
        "corrected_at": photo.corrected_at,
        "photo_url": media_url(photo.shown) or media_url(photo.file.name),
        "overlay_url": media_url(photo.overlay),
        "part_url": media_url(photo.drawn),
        "mask_url": media_url(photo.mask),
        "took_ms": photo.took_ms,
    }


def earlier_body(run: dict[str, Any]) -> dict[str, Any]:
    """What an earlier run found."""
    photos = [
        {
            "place": photo["place"],
            "overlay_url": media_url(photo["overlay"]),
            "part_url": media_url(photo["drawn"]),
            "mask_url": media_url(photo["mask"]),
        }
        for photo in run["photos"]
    ]
    return {**run, "verdict": run["verdict"] or None, "photos": photos}


def inspection_brief(inspection: Inspection) -> dict[str, Any]:
    """An inspection in a list."""
    return {
        "id": str(inspection.uuid),
        "part_id": str(inspection.part.uuid),
        "part_name": str(inspection.part),
        "part_number": inspection.part.number,
        "piece": inspection.piece,
        "batch": str(inspection.batch.uuid) if inspection.batch else None,
        "state": inspection.state,
        "verdict": inspection.verdict or None,
        "similarity": inspection.similarity,
        "p_good": inspection.p_good,
        "threshold": inspection.threshold,
        "alert": inspection.alert,
        "decision": inspection.decision or None,
        "note": inspection.note,
        "created_at": inspection.created_at,
        "finished_at": inspection.finished_at,
        "url": reverse("api_inspection", args=[inspection.uuid]),
    }


def inspection_body(inspection: Inspection) -> dict[str, Any]:
    """The whole of it, in the reader's language. A run that goes on says how far it is."""
    photos = inspection.photos.all()
    others = others_of(inspection, *photos)
    progress = None
    if not inspection.finished:
        progress = {"photo": inspection.stage_photo, "stage": inspection.stage or None}
    return {
        "success": True,
        **inspection_brief(inspection),
        "progress": progress,
        "error": (
            {"code": inspection.error_code, "message": inspection.error_message}
            if inspection.error_code
            else None
        ),
        "message": verdict_sentence(inspection.verdict),
        "reasons": reasons_told(inspection.reasons, others),
        "coverage": inspection.coverage,
        "worst_photo": inspection.worst,
        "competitors": rivals_told(inspection.rivals, others),
        "scale": "sheet" if inspection.scaled else "assumed_from_stl",
        "calibration": inspection.calibration or None,
        "learnt": inspection.learnt,
        "limits": inspection.limits or None,
        "heat_url": media_url(inspection.heat),
        "photos": [photo_body(photo, others) for photo in photos],
        "took_ms": inspection.took_ms,
        "revision": inspection.revision,
        "earlier": [earlier_body(run) for run in inspection.earlier],
        "decided_by": str(inspection.decided_by) if inspection.decided_by else None,
        "decided_at": inspection.decided_at,
    }
