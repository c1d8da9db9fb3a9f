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
    if own_words:
        return "integrated" if hasattr(encoder, "words_slope") else "occlusion"
    if hasattr(encoder, "maps_embed"):
        return "exact"
    return visual_kind(encoder.visual_open()[0]) if hasattr(encoder, "visual_open") else "occlusion"


def visual_kind(visual: Any) -> Kind:
    """By what the network is made of."""
    from search.engine.explain import gradcam, legrad

    if legrad.fits(visual):
        return "legrad"
    return "gradcam" if gradcam.fits(visual) else "occlusion"


def explainer_make(encoder: Any, *, words: bool = False) -> Explainer:
    visual: Any = None
    if hasattr(encoder, "visual_open"):
        # Loaded once, for the look at its parts and for the explainer.
        visual, prepare = encoder.visual_open()
        kind = visual_kind(visual)
    else:
        kind = explainer_kind(encoder, words=words)
    match kind:
        case "exact":
            from search.engine.explain.exact import ExactExplainer

            return ExactExplainer(encoder)
        case "integrated":
            from search.engine.explain.words import WordsExplainer

            return WordsExplainer(encoder)
        case "legrad":
            from search.engine.explain.legrad import LeGradExplainer

            return LeGradExplainer(visual, prepare)
        case "gradcam":
            from search.engine.explain.gradcam import GradCamExplainer

            return GradCamExplainer(visual, prepare)
        case "occlusion":
            from search.engine.explain.occlusion import OcclusionExplainer

            if words and encoder.words_space != encoder.space:
                return OcclusionExplainer(lambda pictures: encoder.pictures_embed_both(pictures)[1])
            return OcclusionExplainer(encoder.pictures_embed)
