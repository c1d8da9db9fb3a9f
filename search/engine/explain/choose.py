"""Which explainer fits an encoder: the only place that knows them all.

averages a map and projects it     exact division of the similarity (mini, ResNet50)
a head of layers on such a mean    integrated slopes (mini's words)
transformer, class token or mean   LeGrad (ViT-B-32 and its like)
pools by attention                 Grad-CAM (RN50x64, SigLIP)
anything else                      occlusion, which needs embeddings only
"""

from typing import Any, Literal

from search.engine.explain.types import Explainer

Kind = Literal["exact", "integrated", "legrad", "gradcam", "occlusion"]


def explainer_kind(encoder: Any, *, words: bool = False) -> Kind:
    """`words`: the target is a text, in a space of words' own when the encoder has one."""
    own_words = words and getattr(encoder, "words_space", None) not in (None, encoder.space)
    if hasattr(encoder, "maps_embed") and not own_words:
        return "exact"
    if own_words:
        return "integrated" if hasattr(encoder, "words_slope") else "occlusion"
    if hasattr(encoder, "visual_open"):
        from search.engine.explain import gradcam, legrad

        visual, _ = encoder.visual_open()
        if legrad.fits(visual):
            return "legrad"
        if gradcam.fits(visual):
            return "gradcam"
    return "occlusion"


def explainer_make(encoder: Any, *, words: bool = False) -> Explainer:
    match explainer_kind(encoder, words=words):
        case "exact":
            from search.engine.explain.exact import ExactExplainer

            return ExactExplainer(encoder)
        case "integrated":
            from search.engine.explain.words import WordsExplainer

            return WordsExplainer(encoder)
        case "legrad":
            from search.engine.explain.legrad import LeGradExplainer

            return LeGradExplainer(*encoder.visual_open())
        case "gradcam":
            from search.engine.explain.gradcam import GradCamExplainer

            return GradCamExplainer(*encoder.visual_open())
        case "occlusion":
            from search.engine.explain.occlusion import OcclusionExplainer

            if words and encoder.words_space != encoder.space:
                return OcclusionExplainer(lambda pictures: encoder.pictures_embed_both(pictures)[1])
            return OcclusionExplainer(encoder.pictures_embed)
