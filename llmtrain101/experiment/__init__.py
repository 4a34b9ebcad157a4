"""From a claim to a verdict: arms × seeds in parallel, cached, with the paired interval."""

from llmtrain101.experiment.claim import ArmFailed, Claim
from llmtrain101.experiment.results import Results
from llmtrain101.experiment.statistics import Verdict, judge, paired_interval

__all__ = ["ArmFailed", "Claim", "Results", "Verdict", "judge", "paired_interval"]
