"""Labels by hand, by rule, by image, by cluster, by a model; how far they agree, which to keep.

Each way has a module of its own; import from there. By hand: `store` keeps every click, `widget`
asks the questions, `agreement` measures whether people mean the same, `crowd` makes one label of
several.
"""
