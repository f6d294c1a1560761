"""For each built operation one call that must succeed, and what it must have done. What gets built gets one here."""

from probes.happy import account, guardrails, knowledge, models, retrieval, runtime

RECIPES = {
    **runtime.RECIPES,
    **models.RECIPES,
    **account.RECIPES,
    **guardrails.RECIPES,
    **knowledge.RECIPES,
    **retrieval.RECIPES,
}


def make(connection, service, operation):
    """(members, check) of a call that must succeed; `check(answer)` asserts what it did. None where there is no recipe."""
    recipe = RECIPES.get(f"{service}:{operation}")
    return recipe(connection) if recipe else None
