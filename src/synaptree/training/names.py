"""What other packages call the settings of a run."""

# `squeezed`, and what a setting is called here.
SYNONYMS = {
    **dict.fromkeys(("learningrate", "eta", "stepsize"), "lr"),
    **dict.fromkeys(("batchsize", "minibatch"), "batch"),
    **dict.fromkeys(("hidden", "hiddensize", "units", "channels"), "width"),
    **dict.fromkeys(("epochs", "iterations", "updates"), "steps"),
    **dict.fromkeys(("layers", "levels", "depth", "numlayers"), "L"),
    **dict.fromkeys(("classes", "numclasses", "nclasses"), "n"),
    **dict.fromkeys(("samples", "trainsize", "ntrain"), "P"),
    "seeds": "seed",
}
