"""One file an experiment: its docstring's first line is what --list says, its function ``experiment``
takes the data and returns an Experiment. A new file here is found by its name."""
