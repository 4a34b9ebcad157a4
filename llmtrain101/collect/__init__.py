"""Rows from folders, files, databases, APIs, people and the Hub.

Whatever the source, what comes back is rows (dicts) or a DataFrame, and what was skipped is said.
"""

from llmtrain101.collect._api import Collected, Stopped, pages
from llmtrain101.collect._files import files, folder
from llmtrain101.collect._form import enter, form
from llmtrain101.collect._hub import hub
from llmtrain101.collect._server import Server, serve
from llmtrain101.collect._sqlite import sqlite, to_sqlite

__all__ = [
    "Collected",
    "Server",
    "Stopped",
    "enter",
    "files",
    "folder",
    "form",
    "hub",
    "pages",
    "serve",
    "sqlite",
    "to_sqlite",
]
