"""How language models are trained: the helper package behind the course.

Importing it is instant: torch and transformers are imported by the modules that use them.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
