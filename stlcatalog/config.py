"""Reads and checks `config/search.yaml`.

Knows the file's shape and nothing of Django: `settings` calls `config_load` once and hands the
result to every room as `settings.SEARCH`.
"""

from pathlib import Path
from typing import Annotated, Literal, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
# Only their proportions count; beyond any use, sums of them are no numbers any more.
Weight = Annotated[float, Field(ge=0, le=1000)]
# Each takes something away from one picture; they come in pairs.
Masks = Annotated[int, Field(ge=0, le=512, multiple_of=2)]
# Names a folder of weights, and is written on command lines.
EngineName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Template = Annotated[str, Field(pattern=r"^[^{}]*\{\}[^{}]*$", max_length=100)]


class ConfigError(Exception):
    """The file cannot be used; the message names each key at fault."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineSection(Section):
    label: dict[Literal["en", "zh-hant"], str] = {}  # as people read it; without, its name


class MiniEngine(EngineSection):
    encoder: Literal["mini"]
    weights: str = "models"
    threads: PositiveInt = 1
    query_threads: PositiveInt = 2
    explain_masks: Masks = 128


class ShapeEngine(EngineSection):
    encoder: Literal["shape"]


class NetworkEngine(EngineSection):
    """A large network, of the extra `clip`."""

    pretrained: str = ""
    checkpoint: str | None = None
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = "auto"
    runtime: Literal["auto", "torch", "onnx", "openvino"] = "auto"
    batch_size: Annotated[int, Field(ge=1, le=1024)] = 32
    threads: PositiveInt = 1
    query_threads: PositiveInt = 2
    explain_masks: Masks = 0
    idle_seconds: Count = 1800

    @model_validator(mode="after")
    def runs(self) -> "NetworkEngine":
        if self.precision == "int8" and self.runtime not in {"onnx", "openvino"}:
            raise ValueError("precision int8 needs the runtime onnx or openvino")
        if self.precision == "fp16" and self.runtime in {"onnx", "openvino"}:
            raise ValueError("precision fp16 needs the runtime torch")
        if self.precision == "bf16" and self.runtime == "onnx":
            raise ValueError("precision bf16 needs the runtime torch or openvino")
        return self


class OpenClipEngine(NetworkEngine):
    encoder: Literal["openclip"]
    model_name: str = ""

    @field_validator("model_name")
    @classmethod
    def name_alike(cls, name: str) -> str:
        """OpenAI writes ViT-B/32 where open_clip writes ViT-B-32."""
        return name.replace("/", "-")

    @model_validator(mode="after")
    def has_weights(self) -> "OpenClipEngine":
        if not self.checkpoint and not (self.model_name and self.pretrained):
            raise ValueError("name model_name and pretrained, or a checkpoint")
        return self


class ResNet50Engine(NetworkEngine):
    encoder: Literal["resnet50"]
    pretrained: str = "IMAGENET1K_V1"


Engine = Annotated[
    MiniEngine | ShapeEngine | OpenClipEngine | ResNet50Engine, Field(discriminator="encoder")
]


def encoder_kinds() -> set[str]:
    """What `encoder` may say: weights may be given to all engines of a kind at once."""
    members = get_args(get_args(Engine)[0])
    return {kind for of in members for kind in get_args(of.model_fields["encoder"].annotation)}


class Search(Section):
    default_k: PositiveInt = 5
    max_k: PositiveInt = 20
    candidate_k: PositiveInt = 60
    hybrid_alpha: Share = 0.6
    rrf_constant: PositiveInt = 60
    default_weight: Weight = 0.5
    fusion_weights: dict[str, Weight] = {}
    text_weights: dict[str, Weight] = {}
    mesh_weights: dict[str, Weight] = {}
    cache_seconds: Count = 86_400
    similarity_threshold: Share = 0.5
    verify: bool = False
    verify_page: bool = True
    verify_candidates: Annotated[int, Field(ge=1, le=200)] = 30
    verify_seconds: Annotated[float, Field(gt=0, le=10)] = 1.0

    @model_validator(mode="after")
    def k_fits(self) -> "Search":
        if self.default_k > self.max_k:
            raise ValueError("default_k is larger than max_k")
        if self.candidate_k < self.max_k:
            raise ValueError("candidate_k is smaller than max_k")
        if self.candidate_k < self.verify_candidates:
            raise ValueError("candidate_k is smaller than verify_candidates")
        return self


class Classify(Section):
    threshold: Share = 0.3


class Remote(Section):
    deadline_s: Annotated[float, Field(gt=0, le=50)] = 10.0
    batch: PositiveInt = 16
    gather_ms: Annotated[float, Field(ge=0, le=100)] = 2.0
    waiting: PositiveInt = 64


class Inspection(Section):
    threshold: Share = 0.9
    rivals: Annotated[int, Field(ge=0, le=10)] = 3
    seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    wait_s: Annotated[float, Field(ge=0, le=50)] = 20.0
    batch_pieces: PositiveInt = 1000
    simulate: Annotated[int, Field(ge=0, le=256)] = 0
    segmenter: str | None = None
    prepare_ahead: bool = True


class Expansion(Section):
    enabled: bool = True
    most: Annotated[int, Field(ge=0, le=30)] = 6
    share: Share = 0.5
    words_weight: Share = 0.5
    templates: dict[Literal["en", "zh"], list[Template]] = {"en": ["{}"], "zh": ["{}"]}

    @model_validator(mode="after")
    def both_languages(self) -> "Expansion":
        if missing := {"en", "zh"} - self.templates.keys():
            raise ValueError(f"templates for {sorted(missing)} are missing")
        return self


class Feedback(Section):
    alpha: Weight = 1.0
    beta: Weight = 2.0
    gamma: Weight = 0.1
    most: Annotated[int, Field(ge=1, le=50)] = 10


class Faiss(Section):
    index_type: Literal["auto", "Flat", "IVFFlat", "IVFPQ", "HNSW"] = "auto"
    exact_below: PositiveInt = 50_000
    nlist: PositiveInt | None = None
    nprobe: PositiveInt | None = None
    recall_target: Annotated[float, Field(gt=0, le=1)] = 0.985
    threads: PositiveInt = 1
    gpu: Literal["auto", "off"] = "auto"
    gpu_float16: bool = True
    compact_share: Share = 0.02
    compact_rows: PositiveInt = 2000
    keep: PositiveInt = 2


class Render(Section):
    viewpoints: Annotated[int, Field(ge=4, le=64)] = 12
    size: Annotated[int, Field(ge=64, le=1024)] = 224
    thumbnail: Annotated[int, Field(ge=64, le=2048)] = 512


class Limits(Section):
    upload_mb: PositiveInt = 512
    picture_mb: PositiveInt = 30
    picture_megapixels: PositiveInt = 50
    text_characters: PositiveInt = 500
    triangles: PositiveInt = 10_000_000
    parse_memory_mb: PositiveInt = 4096
    parse_cpu_s: PositiveInt = 60
    parse_wall_s: PositiveInt = 120
    archive_members: PositiveInt = 100_000
    archive_mb: PositiveInt = 20_480


class Log(Section):
    enabled: bool = True
    days: Count = 90
    people: bool = False
    keep_mb: Count = 20


class SearchConfig(Section):
    """The whole file. Every section may be left out but `engines`."""

    engines: dict[EngineName, Engine]
    use: list[str] = []  # none named: all
    search: Search = Search()
    expansion: Expansion = Expansion()
    feedback: Feedback = Feedback()
    classify: Classify = Classify()
    remote: Remote = Remote()
    inspection: Inspection = Inspection()
    faiss: Faiss = Faiss()
    render: Render = Render()
    limits: Limits = Limits()
    log: Log = Log()

    @model_validator(mode="after")
    def names_known(self) -> "SearchConfig":
        if not self.engines:
            raise ValueError("engines: name at least one")
        if reserved := {"words", "fusion"} & self.engines.keys():
            raise ValueError(f"engines: {sorted(reserved)} are names of the product's own")
        if unknown := set(self.use) - self.engines.keys():
            raise ValueError(f"use: no engine is called {sorted(unknown)}")
        unused = [n for n, engine in self.engines.items() if isinstance(engine, NetworkEngine)]
        if not self.use and unused:
            raise ValueError(f"use: say which engines; {unused[0]} is large and cannot be implied")
        for key in ("fusion_weights", "text_weights", "mesh_weights"):
            named = getattr(self.search, key).keys()
            kinds = encoder_kinds()
            if unknown := named - self.engines.keys() - kinds - {"words"}:
                raise ValueError(f"search.{key}: no engine is called {sorted(unknown)}")
        return self


def config_load(path: Path) -> SearchConfig:
    """The checked configuration, or `ConfigError` naming the file and every key at fault."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    try:
        return SearchConfig.model_validate(document or {})
    except ValidationError as error:
        faults = "\n".join(
            f"  {'.'.join(str(step) for step in fault['loc']) or '(top)'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ConfigError(f"{path} cannot be used:\n{faults}") from error
