"""Where a threshold comes from, in words."""

from shopglot.merge.decide import Decision, TaskDecision
from shopglot.serve.http.pages.names import language_name
from shopglot.serve.http.policy import InForce
from shopglot.serve.http.question import Question, Verdict


def why(decision: Decision | None, policy: InForce, question: Question, verdict: Verdict) -> str:
    """Return who chose the threshold of a pair, and for what; without the decision only what the server itself says."""
    if policy.threshold(question, verdict)[1] == "policy":
        return f"set by version {policy.version} of this server's policy"
    return "of the bundle" if decision is None else _chosen(decision.tasks[question.task], question, verdict)


def _chosen(own: TaskDecision, question: Question, verdict: Verdict) -> str:
    language = verdict.language
    if own.unlabelled is not None and language is not None and language not in own.labelled:
        return f"chosen for languages without labels, such as {language_name(language)}"
    slices = {(each.language, each.category) for each in own.slices}
    if language is not None and (language, verdict.category) in slices and verdict.category is not None:
        return f"chosen for {language_name(language)} in {verdict.category}"
    if language is not None and (language, None) in slices:
        return f"chosen for {language_name(language)}"
    return f"chosen for all of {question.task}, whatever the language"
