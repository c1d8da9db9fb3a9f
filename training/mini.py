"""Makes the mini encoder's files from nothing: every step in order.

python -m training.mini
"""

from training import export_lite0, features, projection, publish, quantise_lite0


def main() -> None:
    for step in (export_lite0, quantise_lite0, features, projection, publish):
        print(f"--- {step.__name__}", flush=True)
        step.main([])


if __name__ == "__main__":
    main()
