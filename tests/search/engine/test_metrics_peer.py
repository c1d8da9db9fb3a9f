"""Our measures are those of trec_eval, the reference of the field."""

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from search.engine import metrics

judgements = st.dictionaries(st.integers(1, 40), st.integers(0, 4), min_size=1, max_size=30)
rankings = st.lists(st.integers(1, 60), min_size=1, max_size=40, unique=True)


@given(judgements, rankings, st.sampled_from([1, 5, 10, 20]))
def test_they_agree_with_trec_eval(held: dict[int, int], ranking: list[int], k: int) -> None:
    # trec_eval's gain is the relevance itself; ours is 2^grade - 1, so it is told that.
    gains = {str(part): 2**grade - 1 for part, grade in held.items()}
    names = {f"P_{k}", f"recall_{k}", f"ndcg_cut_{k}", "recip_rank", "map"}
    measures = {"P", "recall", "ndcg_cut", "recip_rank", "map"}
    peer = pytrec_eval.RelevanceEvaluator(
        {"q": gains}, {f"{m}.{k}" if m in {"P", "recall", "ndcg_cut"} else m for m in measures}
    )
    scored = {str(part): float(len(ranking) - place) for place, part in enumerate(ranking)}
    theirs = peer.evaluate({"q": scored})["q"]
    grades = metrics.grades_of(ranking, held)
    relevant = sum(grade > 0 for grade in held.values())
    ours = {
        f"P_{k}": metrics.precision_at_k(grades, k),
        f"recall_{k}": metrics.recall_at_k(grades, k, relevant=relevant),
        f"ndcg_cut_{k}": metrics.ndcg_at_k(grades, k, ideal=np.array(list(held.values()))),
        "recip_rank": metrics.reciprocal_rank(grades),
        "map": metrics.average_precision(grades, relevant=relevant),
    }
    assert names <= theirs.keys()
    assert ours == {name: pytest.approx(theirs[name], abs=1e-6) for name in ours}
