"""Makes the mini encoder's files from nothing: every step in order.

python -m training.mini
"""

from training import (
    export_lite0,
    features,
    mask_net,
    photo_features,
    photographs,
    projection,
    publish,
    quantise_lite0,
)

STEPS = (
    export_lite0,
    quantise_lite0,
    features,
    photographs,
    mask_net,
    photo_features,
    projection,
    publish,
)


def main() -> None:
    for step in STEPS:
        print(f"--- {step.__name__}", flush=True)
        step.main([])


if __name__ == "__main__":
    main()
