"""Checks of lesson 08: pseudo-labels, what to ask next, labels saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmtrain101.course.checks import Wrong, exercise


@exercise(
    "08.1",
    title="Pseudo-labels",
    minutes=8,
    difficulty=1,
    hints=[
        "`chances.max(axis=1)` is how sure it is of each item; which of them reach the threshold?",
        "`np.nonzero(…)[0]` gives places, `chances.argmax(axis=1)` columns, and `classes[column]` "
        "a label.",
    ],
)
def pseudo_labels(answer: Callable[[Any, Any, float], Any]) -> str:
    """The answer maps chances, classes and a threshold to places and labels."""
    import numpy as np

    classes = ["ham", "joke", "spam"]
    chances = np.array(
        [[0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.1, 0.1, 0.8], [0.2, 0.75, 0.05], [0.0, 0.25, 0.75]]
    )
    for threshold, places in ((0.75, [0, 2, 3, 4]), (0.8, [0, 2]), (0.95, []), (0.0, range(5))):
        labels = [classes[column] for column in chances[list(places)].argmax(axis=1)]
        found, given = _two_lists(answer(chances.copy(), list(classes), threshold))
        call = f"With a threshold of {threshold} and the chances {chances.tolist()}"
        missing = [place for place in places if place not in found]
        extra = [place for place in found if place not in places]
        if found and all(value in (True, False) for value in found) and len(found) == len(chances):
            raise Wrong(f"{call} the first list is {found}: true or false for each, not places.")
        if extra:
            raise Wrong(
                f"{call}, item {extra[0]} is taken, whose likeliest class has a chance below it."
            )
        if missing and float(chances[missing[0]].max()) == threshold:
            raise Wrong(
                f"{call}, item {missing[0]} is left out: *at least* means that equal will do."
            )
        if missing:
            raise Wrong(f"{call}, item {missing[0]} is left out, although it is sure enough.")
        if len(given) != len(found):
            raise Wrong(
                f"{call} there are {len(found)} places and {len(given)} labels: only the items "
                "that are taken get one."
            )
        if given and all(isinstance(label, int | np.integer) for label in given):
            raise Wrong(
                f"{call} the labels are {given}: these are columns. Look them up in `classes`."
            )
        if [given[found.index(place)] for place in places] != labels:
            raise Wrong(
                f"{call} the labels are {given}, not {labels}: the likeliest class of each."
            )
    return "Nothing in these lines knows whether a label is right. That is the whole risk."


@exercise(
    "08.2",
    title="What to ask next",
    minutes=8,
    difficulty=2,
    hints=[
        "`np.sort(chances, axis=1)` puts the likeliest class of each item into the last column.",
        "The margin is the last column minus the one before it; `np.argsort` orders the items.",
    ],
)
def ask_next(answer: Callable[[Any, int], Any]) -> str:
    """The answer maps chances and a number to places."""
    import numpy as np

    named = np.array([[0.1, 0.48, 0.42], [0.36, 0.33, 0.31], [0.5, 0.49, 0.01], [0.9, 0.1, 0.0]])
    many = np.random.default_rng(0).dirichlet([1.0] * 4, 30)
    for chances, k in ((named, 2), (named, 3), (named, 4), (many, 7)):
        given = chances.copy()
        found = _places(answer(given, k), len(chances))
        if not np.array_equal(given, chances):
            raise Wrong(
                "The chances are changed: `chances.sort()` sorts in place, `np.sort` copies."
            )
        right = _orders(chances)[""][:k].tolist()
        if found == right:
            continue
        # on thirty items the orders below all differ, so that they name the slip
        other = _places(answer(many.copy(), 7), len(many))
        said = next(
            (slip for slip, order in _orders(many).items() if order[:7].tolist() == other), ""
        )
        if not said and sorted(found) == sorted(right):
            said = "the right ones, but not the smallest margin first"
        if not said and len(found) != k:
            said = f"that are {len(found)} places, not {k}"
        shown = chances.tolist() if len(chances) < 9 else "thirty items"
        raise Wrong(
            f"For {shown} and k = {k} it gives {found}, not {right}: {said or 'look again'}."
        )
    return "With two classes, margin, entropy and the chance of the likeliest give the same order."


@exercise(
    "08.3",
    title="Labels saved",
    minutes=8,
    difficulty=2,
    hints=[
        "`np.interp(x, xs, ys)` reads a curve at x. What is x here: labels, or accuracy?",
        "You know the accuracy and look for the labels, so the curve is read sideways: "
        "`np.interp(target, scores, sizes)`. Beyond its end `np.interp` repeats the last value: "
        "ask for that case before.",
    ],
)
def labels_needed(answer: Callable[[list[float], list[float], float], Any]) -> str:
    """The answer maps a learning curve and a target to a number of labels."""
    import math

    import numpy as np

    sizes, scores = [10.0, 20.0, 40.0, 80.0], [0.5, 0.6, 0.7, 0.75]
    for target in (0.6, 0.65, 0.725, 0.75, 0.8, 0.4):
        right = math.inf if target > scores[-1] else float(np.interp(target, scores, sizes))
        call = f"`labels_needed({sizes}, {scores}, {target})`"
        number = np.asarray(answer(list(sizes), list(scores), target))
        if number.size != 1 or number.dtype.kind not in "iuf":
            raise Wrong(f"{call} is {number.tolist()!r:.60}; it should be one number.")
        found = float(number.reshape(()))
        if found == right or abs(found - right) < 1e-6:
            continue
        if math.isinf(right):
            raise Wrong(
                f"{call} is {found:g}, but this curve ends at {scores[-1]}: nobody has seen it get "
                'there. Answer `float("inf")`.'
            )
        if target < scores[0]:
            raise Wrong(f"{call} is {found:g}: the curve begins above, so answer its first size.")
        place = int(np.searchsorted(scores, target))
        halfway = math.exp(float(np.interp(target, scores, np.log(sizes))))
        slips = {
            "that is the next size at which it was measured; go along the line between two": sizes[
                place
            ],
            "that is the size before, at which it is not yet there": sizes[place - 1],
            "that reads the curve at `target` labels; you look for labels, not for a score": float(
                np.interp(target, sizes, scores)
            ),
            "that is a line on a scale of logarithms; here it is straight in labels": halfway,
        }
        said = next((slip for slip, value in slips.items() if abs(found - value) < 1e-6), "")
        raise Wrong(f"{call} is {found:g}, not {right:g}{': ' + said if said else ''}.")
    return "Divide this by the labels that were used, and you have the factor that was saved."


def _orders(chances: Any) -> dict[str, Any]:
    """The items in the order of their margins, and of what is taken for it."""
    import numpy as np

    ordered = np.sort(chances, axis=1)
    margin = ordered[:, -1] - ordered[:, -2]
    entropy = -(chances * np.log(np.maximum(chances, 1e-12))).sum(axis=1)
    return {
        "": np.argsort(margin),
        "these are the largest margins: the items of which it is most sure": np.argsort(-margin),
        "that looks at the likeliest class alone; 0.5 against 0.49 is closer than 0.36 against "
        "0.33": np.argsort(ordered[:, -1]),
        "that is the order by entropy, which looks at all classes; the margin looks at "
        "two": np.argsort(-entropy),
        "that is the distance of the likeliest from the *least* likely class": np.argsort(
            ordered[:, -1] - ordered[:, 0]
        ),
        "that takes the first two columns; the two likeliest classes are others in each "
        "row": np.argsort(np.abs(chances[:, 0] - chances[:, 1])),
    }


def _two_lists(value: Any) -> tuple[list[Any], list[Any]]:
    import numpy as np

    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Wrong(f"It gives {value!r:.60}; it should be two lists, the places and the labels.")
    first, second = (np.asarray(part, dtype=object).ravel().tolist() for part in value)
    return first, second


def _places(value: Any, n: int) -> list[int]:
    import numpy as np

    places = np.asarray(value)
    if places.ndim != 1 or (places.size and places.dtype.kind not in "iu"):
        raise Wrong(f"It gives {value!r:.60}; it should be a list of places, whole numbers from 0.")
    if places.size and not 0 <= places.min() <= places.max() < n:
        raise Wrong(f"It gives {places.tolist()}; there are only the places 0 to {n - 1}.")
    return [int(place) for place in places]
