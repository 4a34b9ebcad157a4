"""Keep pytest from importing `sitecustomize.py`: its own process needs its sockets."""

collect_ignore = ["sitecustomize.py"]
