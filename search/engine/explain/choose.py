"""Which explainer fits an encoder: the only place that knows them all.

averages a map and projects it     exact division of the similarity (mini, ResNet50)
a head of layers on such a mean    integrated slopes (mini's words)
transformer, class token or mean   LeGrad (ViT-B-32 and its like)
pools by attention                 Grad-CAM (RN50x64, SigLIP)
anything else                      occlusion, which needs embeddings only
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from search.engine.explain.types import Bytes, Explainer, Floats

if TYPE_CHECKING:
    from search.engine.explain.gradcam import GradCamExplainer
    from search.engine.explain.legrad import LeGradExplainer

Kind = Literal["exact", "integrated", "legrad", "gradcam", "occlusion"]


def explainer_kind(encoder: Any, *, words: bool = False) -> Kind:
    """`words`: the target is a text, in a space of words' own when the encoder has one."""
    own_words = words and getattr(encoder, "words_space", None) not in (None, encoder.space)
    if own_words:
        return "integrated" if hasattr(encoder, "words_slope") else "occlusion"
    if hasattr(encoder, "maps_embed"):
        return "exact"
    if not hasattr(encoder, "visual_use"):
        return "occlusion"
    with encoder.visual_use() as (visual, _):
        return visual_kind(visual)


def visual_kind(visual: Any) -> Kind:
    """By what the network is made of."""
    from search.engine.explain import gradcam, legrad

    if legrad.fits(visual):
        return "legrad"
    return "gradcam" if gradcam.fits(visual) else "occlusion"


def explainer_make(encoder: Any, *, words: bool = False) -> Explainer:
    match kind := explainer_kind(encoder, words=words):
        case "exact":
            from search.engine.explain.exact import ExactExplainer

            return ExactExplainer(encoder)
        case "integrated":
            from search.engine.explain.words import WordsExplainer

            return WordsExplainer(encoder)
        case "legrad" | "gradcam":
            return VisualExplainer(encoder, kind)
        case "occlusion":
            from search.engine.explain.occlusion import OcclusionExplainer

            if words and encoder.words_space != encoder.space:
                return OcclusionExplainer(lambda pictures: encoder.pictures_embed_both(pictures)[1])
            return OcclusionExplainer(encoder.pictures_embed)


class VisualExplainer:
    """By gradients through a large network, which is asked for at each use: kept here, it would
    never leave the memory."""

    def __init__(self, encoder: Any, method: Literal["legrad", "gradcam"]) -> None:
        self._encoder, self.method = encoder, method

    def heat(self, pictures: Bytes, target: Floats) -> Floats:
        with self._encoder.visual_use() as opened:
            return self._made(*opened).heat(pictures, target)

    def patches(self, pictures: Bytes) -> Floats:
        with self._encoder.visual_use() as opened:
            return self._made(*opened).patches(pictures)

    def _made(
        self, visual: Any, prepare: Callable[[Bytes], Any]
    ) -> "LeGradExplainer | GradCamExplainer":
        from search.engine.explain.gradcam import GradCamExplainer
        from search.engine.explain.legrad import LeGradExplainer

        make = LeGradExplainer if self.method == "legrad" else GradCamExplainer
        return make(visual, prepare)
